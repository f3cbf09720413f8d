import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { FieldHeaders } from "../../../call/field-headers.ts";
import { isStream, untilAborted } from "../../../call/stream.ts";
import { joined, WholeBody } from "../../../call/whole-body.ts";
import { envelope, framed, onlyMessage, rawMessages } from "./envelopes.ts";
import { shownError, type WebCall } from "./web-call.ts";

/** How a protocol that puts messages behind prefixes ends an answer. */
export interface WebEnding {
  readonly contentType: string;
  /** The field in which the answer says what its messages are compressed with. */
  readonly encoding: string;
  readonly flags: number;
  /** What is said behind the last message: the trailers, and the error if there is one. */
  end(trailer: Headers, error: ConnectError | undefined): Uint8Array;
}

/** Answers a call in a protocol that puts messages behind prefixes, whatever its shape is. */
export async function streamedAnswer(web: WebCall, ending: WebEnding): Promise<UniversalServerResponse> {
  const pieces = answerPieces(web, ending)[Symbol.asyncIterator]();
  const first = await pieces.next(); // until there is something to send, the service may set headers
  const { call, compression } = web;
  const header = call.madeResponseHeader ?? new FieldHeaders();
  header.set("content-type", ending.contentType);
  if (compression.response !== null) header.set(ending.encoding, compression.response.name);
  if (first.done === true) return { status: 200, header };
  if (call.isStream) return { status: 200, header, body: resumed(first.value, pieces) };
  return { status: 200, header, body: new WholeBody(await rest(first.value, pieces)) };
}

/** Pieces of the body; the call has ended when they have, or when their reader has left. */
async function* answerPieces(web: WebCall, ending: WebEnding): AsyncGenerator<Uint8Array> {
  const { call, compression } = web;
  let error: ConnectError | undefined;
  let reason: unknown = left;
  try {
    const answer = await web.make(await requestOf(web));
    if (!isStream(answer)) yield* await envelope(answer, compression.response);
    else
      for await (const message of untilAborted(answer, call.signal))
        yield* await envelope(message, compression.response);
    reason = undefined;
  } catch (failed) {
    reason = failed ?? new Error("the service failed with nothing");
    error = shownError(reason);
  } finally {
    call.end(reason);
  }
  yield* framed(ending.flags, ending.end(call.responseTrailer, error));
}

/** The one request, or the stream of them that the method takes. */
async function requestOf({ body, call, compression }: WebCall): Promise<unknown> {
  const messages = rawMessages(body, compression.request);
  const { methodKind } = call.method;
  const isOne = methodKind === "unary" || methodKind === "server_streaming";
  return isOne ? onlyMessage(messages) : messages;
}

/** Why a call ended whose reader wants no more. */
const left = Object.freeze(new ConnectError("the caller left", Code.Canceled));

async function* resumed(first: Uint8Array, pieces: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for (let next: IteratorResult<Uint8Array> = { value: first }; next.done !== true; next = await pieces.next())
      yield next.value;
  } finally {
    await pieces.return?.();
  }
}

async function rest(first: Uint8Array, pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const all = [first];
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) all.push(next.value);
  return joined(
    all,
    all.reduce((size, { length }) => size + length, 0),
  );
}
