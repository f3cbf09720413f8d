import type { DescMethodServerStreaming, Message, Registry } from "@bufbuild/protobuf";
import type { StreamResponse, Transport } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { answerHeaders, callHeaders, once } from "./answer.ts";
import { knownError, statusJson } from "./error.ts";
import type { ResponseWriter } from "./response.ts";

/** What a streaming answer needs to know of its route. */
export interface StreamRoute {
  readonly method: DescMethodServerStreaming;
  readonly write: ResponseWriter;
  readonly transport: Transport;
  readonly registry: Registry;
}

const utf8 = new TextEncoder();

/**
 * Answers with a line of JSON per message. The answer begins with the first message, so that an error before it is an
 * ordinary error answer; one after it is the last line, `{"error": status}`. Whoever stops reading ends the call.
 */
export async function streamAnswer(
  route: StreamRoute,
  message: Message,
  request: UniversalServerRequest,
): Promise<UniversalServerResponse> {
  const stop = new AbortController();
  const signal = AbortSignal.any([request.signal, stop.signal]);
  const response = await route.transport.stream(
    route.method,
    signal,
    undefined,
    callHeaders(request.header),
    once(message),
    request.contextValues,
  );
  const messages = response.message[Symbol.asyncIterator]();
  const first = await messages.next();
  const header = answerHeaders(response.header);
  header.set("content-type", "application/x-ndjson");
  if (request.method === "HEAD") {
    stop.abort();
    return { status: 200, header };
  }
  const trailer = new Headers();
  const body = lines({ ...route, messages, first, stop, request, ended: () => copyTrailer(response, trailer) });
  return { status: 200, header, body, trailer };
}

interface Lines extends StreamRoute {
  readonly messages: AsyncIterator<Message>;
  readonly first: IteratorResult<Message>;
  readonly stop: AbortController;
  readonly request: UniversalServerRequest;
  ended(): void;
}

async function* lines({ messages, first, write, stop, request, registry, ended }: Lines): AsyncGenerator<Uint8Array> {
  try {
    for (let next = first; next.done !== true; next = await messages.next()) yield line(write(next.value));
    ended();
  } catch (reason) {
    if (request.signal.aborted) return; // nobody is left to tell
    yield line(JSON.stringify({ error: statusJson(knownError(reason, request.signal), registry) }));
  } finally {
    stop.abort();
  }
}

function line(json: string): Uint8Array {
  return utf8.encode(`${json}\n`);
}

function copyTrailer(response: StreamResponse, trailer: Headers): void {
  for (const [name, value] of answerHeaders(response.trailer)) trailer.append(name, value);
}
