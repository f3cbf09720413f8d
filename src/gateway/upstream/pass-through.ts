import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectError, StreamResponse } from "@connectrpc/connect";
import { headers } from "../../call/headers.ts";
import { methodName } from "../../call/method.ts";
import type { OutgoingCallInit } from "../../call/outgoing-call.ts";
import { peerKey } from "../../call/peer.ts";
import { maxTimeoutMs } from "../../call/policy-defaults.ts";
import { rawMessage } from "../../call/raw-message.ts";
import type { ServedCall } from "../../call/served-call.ts";
import { newTraceparent, traceIdOf } from "../../call/traceparent.ts";
import { pass } from "../../server/steps/step.ts";
import { longestMs } from "../../server/time-limit.ts";
import { maxMessageBytes } from "../../wire/grpc/messages.ts";
import type { Room, Rpc, Rpcs } from "../../wire/grpc/rpc.ts";
import { noteCaller } from "../http/caller-address.ts";
import { requestIdHeader, requestIdOf } from "../http/request-id.ts";
import { passedBack } from "./forward.ts";
import { passBack, passOnRequest } from "./headers.ts";
import { isNotCached } from "./unread.ts";
import type { PassOn, WayUpstream } from "./way.ts";

/**
 * Answers gRPC calls of the services by handing their messages on as the bytes that they are, both ways: nobody here
 * decodes them, and what is not a message of its method the service itself refuses. The steps, the deadline, headers and
 * trailers are those of every other way upstream.
 */
export function passThrough(services: readonly DescService[], way: WayUpstream): Rpcs {
  const methods = services.flatMap((service) => service.methods).filter(isNotCached);
  return new Map(methods.map((method) => [`/${methodName(method)}`, new PassThrough(method, way)]));
}

class PassThrough implements Rpc {
  readonly isRaw = true;
  readonly method: DescMethod;
  readonly timeoutMs: number | undefined;
  readonly maxTimeoutMs: number;
  readonly maxRequestBytes = maxMessageBytes;
  readonly room: Room | undefined;
  readonly #way: WayUpstream;

  constructor(method: DescMethod, way: WayUpstream) {
    this.method = method;
    this.timeoutMs = way.timeoutOf(method);
    this.maxTimeoutMs = method.methodKind === "unary" ? maxTimeoutMs : longestMs;
    this.room = way.room;
    this.#way = way;
  }

  async answer(call: ServedCall): Promise<unknown> {
    const id = marked(call, this.#way);
    const passing = pass(this.#way.steps, call);
    if (passing !== undefined) await passing;
    if (call.aborted) throw call.reason; // while a step took its time
    return answerRaw(call, this.#way.passOn, id);
  }
}

/** Notes where the request comes from, and names it and its trace, in the answer whatever that will be. */
function marked(call: ServedCall, { random, proxies }: WayUpstream): string {
  const caller = noteCaller(call.requestHeader, call.peer, proxies);
  if (proxies !== undefined) call.values.set(peerKey, caller);
  const id = requestIdOf(call.requestField(requestIdHeader));
  const brought = call.requestField(headers.traceparent);
  const traceId = traceIdOf(brought);
  if (traceId === undefined) call.traceparent = newTraceparent(random);
  call.responseHeader.set(requestIdHeader, id);
  call.responseHeader.set(headers.traceId, traceId ?? traceIdOf(call.traceparent) ?? "");
  return id;
}

/**
 * Makes the call and answers with what comes of it: a raw message, or a stream of them. The call being served bounds it,
 * and is told its headers. `requestId` where that is not what the caller brought.
 */
export async function answerRaw(call: ServedCall, passOn: PassOn, requestId?: string): Promise<unknown> {
  const { method, message } = call;
  const header = passOnRequest(call.requestHeader);
  if (requestId !== undefined) header.set(requestIdHeader, requestId);
  if (call.traceparent !== undefined) header.set(headers.traceparent, call.traceparent);
  try {
    const sent = message as OutgoingCallInit["message"];
    const res = await passOn({ method, message: sent, isRaw: true, header, timeoutMs: call.timeoutMs() });
    passBack(res.header, call.responseHeader);
    if (res.stream) return method.methodKind === "client_streaming" ? await lastOf(call, res) : eachOf(call, res);
    passBack(res.trailer, call.responseTrailer);
    return res.message;
  } catch (reason) {
    throw told(call, reason);
  }
}

async function* eachOf(call: ServedCall, { message, trailer }: StreamResponse): AsyncGenerator<unknown> {
  try {
    yield* message;
    passBack(trailer, call.responseTrailer);
  } catch (reason) {
    throw told(call, reason);
  }
}

/** The one answer to a stream of requests; that one never came is told by the call's own error. */
async function lastOf(call: ServedCall, res: StreamResponse): Promise<unknown> {
  let last: unknown = rawMessage(new Uint8Array());
  for await (const message of eachOf(call, res)) last = message;
  return last;
}

/** The error as it came, less what the head has said already. */
function told(call: ServedCall, reason: unknown): ConnectError {
  const error = passedBack(reason);
  call.madeResponseHeader?.forEach((_, name) => error.metadata.delete(name));
  return error;
}
