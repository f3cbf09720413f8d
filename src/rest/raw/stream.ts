import type { DescMethodServerStreaming, Message } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { answerHeaders, callHeaders, once } from "../response/answer.ts";
import { setContentType } from "./answer.ts";
import type { RawBody } from "./http-body.ts";

/** What a stream of bytes needs to know of its route. */
export interface RawStreamRoute {
  readonly method: DescMethodServerStreaming;
  readonly transport: Transport;
  rawOf(message: Message): RawBody;
}

/**
 * Answers with the bytes of a stream of `google.api.HttpBody`, one after the other, under the Content-Type of the first.
 * An error before it is an ordinary error answer. One after it breaks the body off: bytes have no room for an error,
 * and a body that ends as if it were whole would hide it. Whoever stops reading ends the call.
 */
export async function rawStreamAnswer(
  { method, transport, rawOf }: RawStreamRoute,
  message: Message,
  request: UniversalServerRequest,
): Promise<UniversalServerResponse> {
  const stop = new AbortController();
  const signal = AbortSignal.any([request.signal, stop.signal]);
  const header = callHeaders(request.header);
  const response = await transport.stream(method, signal, undefined, header, once(message), request.contextValues);
  const messages = response.message[Symbol.asyncIterator]();
  const first = await messages.next();
  const answered = answerHeaders(response.header);
  if (first.done !== true) setContentType(answered, rawOf(first.value).contentType);
  if (request.method === "HEAD" || first.done === true) {
    stop.abort();
    return { status: 200, header: answered };
  }
  return { status: 200, header: answered, body: chunks({ messages, first, rawOf, stop }) };
}

interface Chunks extends Pick<RawStreamRoute, "rawOf"> {
  readonly messages: AsyncIterator<Message>;
  readonly first: IteratorResult<Message>;
  readonly stop: AbortController;
}

async function* chunks({ messages, first, rawOf, stop }: Chunks): AsyncGenerator<Uint8Array> {
  try {
    for (let next = first; next.done !== true; next = await messages.next()) {
      const { data } = rawOf(next.value);
      if (data.length > 0) yield data;
    }
  } finally {
    stop.abort();
  }
}
