import type { DescMethod, Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextKey,
  type Interceptor,
  type StreamResponse,
  type Transport,
  type UnaryResponse,
} from "@connectrpc/connect";
import { ownValues } from "../../call/context.ts";
import { methodName } from "../../call/method.ts";
import { OutgoingCall, type OutgoingCallInit } from "../../call/outgoing-call.ts";
import { whole } from "./messages.ts";

/** What a transport does with a call. */
export type Perform = (call: OutgoingCall) => Promise<UnaryResponse | StreamResponse>;

/** What a transport for calls is made of. */
export interface CallTransportOptions {
  readonly perform: Perform;
  /** The application's own, outside of everything. */
  readonly interceptors: readonly Interceptor[];
  /** Where the URLs begin that interceptors see. */
  readonly baseUrl: string;
}

type AnyFn = ReturnType<Interceptor>;
type Request = Parameters<AnyFn>[0];
type Response = Awaited<ReturnType<AnyFn>>;

/**
 * A Connect transport over what performs a call. Without interceptors a call makes no request object for them; with
 * interceptors they see what Connect shows them, everything an own property.
 */
export function callTransport({ perform, interceptors, baseUrl }: CallTransportOptions): Transport {
  const inside = [...interceptors].reverse();
  const run = (init: OutgoingCallInit): Promise<Response> => {
    if (inside.length === 0) return performed(perform, init);
    let next: AnyFn = async (req) => plain(await performed(perform, initOf(req)));
    for (const interceptor of inside) next = interceptor(next);
    return next(requestOf(init, baseUrl));
  };
  return {
    unary: (method, signal, timeoutMs, header, input, values) =>
      run({ method, signal, timeoutMs, header, values, message: whole(method.input, input) }) as Promise<never>,
    stream: (method, signal, timeoutMs, header, input, values) =>
      run({ method, signal, timeoutMs, header, values, message: input }) as Promise<never>,
  };
}

/**
 * Performs one call, and says when it has ended: a unary one when its answer is there, a stream when that
 * ends. No interceptor sees it: a call may be one that has no messages for them.
 */
export async function performed(perform: Perform, init: OutgoingCallInit): Promise<Response> {
  const call = new OutgoingCall(init);
  try {
    const res = await perform(call);
    if (!res.stream) call.end();
    return res;
  } catch (reason) {
    const error = ConnectError.from(reason, call.aborted ? Code.Canceled : Code.Unknown); // whatever the caller left for
    call.end(error);
    throw error;
  }
}

/** The timeout that the caller itself asked for, in milliseconds: interceptors may change it. */
const timeoutKey = createContextKey<number | undefined>(undefined, { description: "timeout" });

function requestOf({ method, message, header, signal, timeoutMs, values }: OutgoingCallInit, baseUrl: string): Request {
  return {
    stream: method.methodKind !== "unary",
    service: method.parent,
    method,
    requestMethod: "POST",
    url: `${baseUrl}/${methodName(method)}`,
    header: new Headers(header),
    signal: signal ?? new AbortController().signal,
    contextValues: ownValues(values).set(timeoutKey, timeoutMs),
    message: method.methodKind === "unary" ? message : wholeEach(method, message as AsyncIterable<unknown>),
  } as Request;
}

function initOf({ method, message, header, signal, contextValues: values }: Request): OutgoingCallInit {
  return { method, message, header, signal, values, timeoutMs: values.get(timeoutKey) };
}

function plain({ stream, service, method, header, trailer, message }: Response): Response {
  return { stream, service, method, header, trailer, message } as Response;
}

async function* wholeEach(method: DescMethod, messages: AsyncIterable<unknown>): AsyncIterable<Message> {
  for await (const message of messages) yield whole(method.input, message);
}
