import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { answerHeaders, callHeaders, once } from "../response/answer.ts";
import { type Begun, type StreamBody, type StreamRoute, streamBody } from "./body.ts";
import { formatFor, type StreamFormat } from "./format.ts";
import { settledWithin } from "./settled.ts";

/** Events begin after this long without any: a page that watches what seldom changes is to know that it watches. */
const patienceMs = 1_000;

/**
 * Answers with the messages one after the other, as lines of JSON, events or an array, whichever `Accept` prefers. The
 * answer begins with the first message, so that an error before it is an ordinary error answer; one after it is told
 * last, in the way of the format. Messages are asked for as fast as the answer is read, and whoever stops reading for
 * good ends the call.
 *
 * `Last-Event-ID` says which event was seen last; it goes before the query, which a browser repeats as it was at first.
 */
export async function streamAnswer(
  route: StreamRoute,
  message: Message,
  request: UniversalServerRequest,
): Promise<UniversalServerResponse> {
  const format = formatFor(request.header.get("accept"));
  const lastEventId = request.header.get("last-event-id") ?? "";
  if (lastEventId !== "") route.cursor?.resume(message, lastEventId);
  const stop = new AbortController();
  const begun = begin(route, message, { request, stop });
  const body: StreamBody = { ...route, format, request, stop, begun, trailer: new Headers() };
  if (format.signOfLife === undefined) return answered(body, await begun);
  return answerWithEvents(body, lastEventId !== "");
}

/**
 * Browsers give a stream up for good at any status but 200, and are told by 204 that there is nothing more. So one that
 * goes on with a stream waits out what passes, and one that has seen everything is sent home.
 */
async function answerWithEvents(body: StreamBody, isResumed: boolean): Promise<UniversalServerResponse> {
  const { begun, clock } = body;
  begun.catch(() => {}); // said in the stream where it is too late for an answer
  if (!(await settledWithin(begun, patienceMs, clock))) return answered(body, undefined);
  try {
    const ready = await begun;
    const header = answerHeaders(ready.response.header);
    return isResumed && ready.first.done === true ? { status: 204, header } : answered(body, ready);
  } catch (reason) {
    const passes = reason instanceof ConnectError && reason.code === Code.Unavailable;
    if (isResumed && passes) return answered(body, undefined);
    throw reason;
  }
}

/** The answer, with the headers of the call as far as they are known. */
function answered(body: StreamBody, begun: Begun | undefined): UniversalServerResponse {
  const { format, request, stop, trailer } = body;
  const header = begun === undefined ? new Headers() : answerHeaders(begun.response.header);
  mark(header, format);
  if (request.method !== "HEAD") return { status: 200, header, body: streamBody(body), trailer };
  stop.abort();
  return { status: 200, header };
}

function mark(header: Headers, { contentType, header: more }: StreamFormat): void {
  header.set("content-type", contentType);
  header.append("vary", "Accept");
  for (const name of Object.keys(more)) header.set(name, more[name] ?? "");
}

interface Asking {
  readonly request: UniversalServerRequest;
  readonly stop: AbortController;
}

/** Makes the call, as far as its first message. */
async function begin({ transport, method }: StreamRoute, message: Message, { request, stop }: Asking): Promise<Begun> {
  const signal = AbortSignal.any([request.signal, stop.signal]);
  const header = callHeaders(request.header);
  const response = await transport.stream(method, signal, undefined, header, once(message), request.contextValues);
  const messages = response.message[Symbol.asyncIterator]();
  return { response, messages, first: await messages.next() };
}
