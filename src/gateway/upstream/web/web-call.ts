import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  compressionNegotiate,
  type UniversalServerRequest,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { deadlineKey, runInCall } from "../../../call/context.ts";
import { ServedCall } from "../../../call/served-call.ts";
import { orAborted } from "../../../call/stream.ts";
import { isByteStream } from "../../../call/whole-body.ts";
import { pass } from "../../../server/steps/step.ts";
import { timeLimited } from "../../../server/time-limit.ts";
import { compressions } from "../../../wire/grpc/compressions.ts";
import { answerRaw } from "../pass-through.ts";
import type { WayUpstream } from "../way.ts";

/** A protocol for browsers, as calls that pass through are told and answered in it. */
export interface WebProtocol {
  readonly name: "connect" | "grpc-web";
  /** Header fields that say how requests are compressed, and how answers may be. */
  readonly encoding: string;
  readonly acceptEncoding: string;
  /** The field in which callers say how long they have. */
  readonly timeout: string;
  /** Answers the call; what goes wrong is an answer too. */
  answer(call: WebCall): Promise<UniversalServerResponse>;
}

type Negotiated = ReturnType<typeof compressionNegotiate>;

/** One call of a protocol for browsers, whose messages nobody here reads. */
export class WebCall {
  readonly call: ServedCall;
  readonly request: UniversalServerRequest;
  /** What messages come compressed with, and go. */
  readonly compression: Pick<Negotiated, "request" | "response">;
  readonly #way: WayUpstream;

  private constructor(request: UniversalServerRequest, call: ServedCall, parts: WebCallParts) {
    this.request = request;
    this.call = call;
    this.compression = parts.compression;
    this.#way = parts.way;
  }

  /** `undefined` for a call that says what cannot be understood: Connect's own handlers say what is wrong with it. */
  static begin(request: UniversalServerRequest, method: DescMethod, parts: WebCallInit): WebCall | undefined {
    const { way, protocol } = parts;
    if (!isByteStream(request.body)) return undefined;
    const { header } = request;
    const accepted = [...compressions];
    const asked = header.get(protocol.encoding);
    const compression = compressionNegotiate(
      accepted,
      asked,
      header.get(protocol.acceptEncoding),
      protocol.acceptEncoding,
    );
    const limited = timeLimited(request, method, way);
    const deadlineAt = limited.contextValues?.get(deadlineKey);
    const isUntimely = deadlineAt === undefined && header.has(protocol.timeout);
    if (compression.error !== undefined || isUntimely || !speaksVersion1(header)) return undefined;
    const arrivedAt = way.clock.now();
    const { url, method: requestMethod } = request;
    const about = { method, protocolName: protocol.name, requestMethod, header, url, deadlineAt, arrivedAt };
    const { contextValues: values } = limited;
    const call = new ServedCall({ ...about, ...(values && { values }), now: way.clock.now });
    call.heed(request.signal);
    return new WebCall(limited, call, { way, compression });
  }

  /** The request's body: it breaks off when the call's time is over. */
  get body(): AsyncIterable<Uint8Array> {
    return this.request.body as AsyncIterable<Uint8Array>;
  }

  /** Takes the call through the steps, and makes it: answers with a raw message, or a stream of them. */
  make(message: unknown): Promise<unknown> {
    const { call } = this;
    call.message = message;
    const made = runInCall(call, async () => {
      await pass(this.#way.steps, call);
      if (call.aborted) throw call.reason; // while a step took its time
      return answerRaw(call, this.#way.passOn);
    });
    return orAborted(made, call.signal);
  }
}

interface WebCallInit {
  readonly way: WayUpstream;
  readonly protocol: WebProtocol;
}

interface WebCallParts extends Pick<WebCall, "compression"> {
  readonly way: WayUpstream;
}

function speaksVersion1(header: Headers): boolean {
  return (header.get("connect-protocol-version") ?? "1") === "1";
}

/** What callers are told of whatever went wrong. */
export function shownError(reason: unknown): ConnectError {
  if (reason instanceof ConnectError) return reason;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, reason);
}
