import type { DescMethodServerStreaming, Message, Registry } from "@bufbuild/protobuf";
import type { StreamResponse, Transport } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { Clock } from "../../base/clock.ts";
import { answerHeaders } from "../response/answer.ts";
import { knownError, statusJson } from "../response/error.ts";
import type { ResponseWriter } from "../response/response.ts";
import type { Cursor } from "./cursor.ts";
import type { StreamFormat } from "./format.ts";
import { settledWithin } from "./settled.ts";

/** What a streaming answer needs to know of its route. */
export interface StreamRoute {
  readonly method: DescMethodServerStreaming;
  readonly write: ResponseWriter;
  readonly transport: Transport;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly cursor: Cursor | undefined;
}

/** A call that has answered, with its first message or its end. */
export interface Begun {
  readonly response: StreamResponse;
  readonly messages: AsyncIterator<Message>;
  readonly first: IteratorResult<Message>;
}

/** What the body of a streaming answer is made of. */
export interface StreamBody extends StreamRoute {
  readonly format: StreamFormat;
  readonly request: UniversalServerRequest;
  /** Ends the call. */
  readonly stop: AbortController;
  readonly begun: Promise<Begun>;
  /** Is filled when the call has ended. */
  readonly trailer: Headers;
}

/** How long nothing may come before a sign of life does: proxies give up after 30 s or a minute. */
const signOfLifeMs = 15_000;

const utf8 = new TextEncoder();

/**
 * The messages as bytes, one asked for when the one before has been read. Every piece is a whole event: what stands
 * between must neither wait for more nor cut it.
 */
export async function* streamBody(body: StreamBody): AsyncGenerator<Uint8Array, void, undefined> {
  const { format, cursor, write, stop, request, registry } = body;
  let isFirst = true;
  try {
    if (format.opening !== "") yield utf8.encode(format.opening);
    const { response, messages, first } = yield* patiently(body, body.begun);
    for (let next = first; next.done !== true; ) {
      yield utf8.encode(format.message(write(next.value), cursor?.idOf(next.value), isFirst));
      isFirst = false;
      next = format.signOfLife === undefined ? await messages.next() : yield* patiently(body, messages.next());
    }
    for (const [name, value] of answerHeaders(response.trailer)) body.trailer.append(name, value);
    const end = format.ended(isFirst);
    if (end !== "") yield utf8.encode(end);
  } catch (reason) {
    if (request.signal.aborted) return; // nobody is left to tell
    yield utf8.encode(format.failed(JSON.stringify(statusJson(knownError(reason, request.signal), registry)), isFirst));
  } finally {
    stop.abort();
  }
}

/** What the promise resolves with, and signs of life until it does. */
async function* patiently<T>(
  { format: { signOfLife }, clock }: StreamBody,
  promise: Promise<T>,
): AsyncGenerator<Uint8Array, T, undefined> {
  if (signOfLife === undefined) return promise;
  while (!(await settledWithin(promise, signOfLifeMs, clock))) yield utf8.encode(signOfLife);
  return promise;
}
