import { create, type DescMethodClientStreaming, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport, type UnaryResponse } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { rawChunks } from "../request/body.ts";
import { placeRaw } from "../request/request.ts";
import { callHeaders } from "../response/answer.ts";
import type { Route } from "../routes/routes.ts";

/** A request whose body is sent on while it arrives. */
export interface Upload {
  readonly method: DescMethodClientStreaming;
  readonly transport: Transport;
  readonly request: UniversalServerRequest;
  readonly segments: readonly string[];
  readonly query: string;
}

/** What a call ended with. */
export type UploadResponse = Pick<UnaryResponse, "header" | "trailer" | "message">;

/**
 * Calls a method that takes a stream of `google.api.HttpBody`, alone or in a field, with the pieces of a body as they
 * arrive: the first message has the Content-Type, and what path and query say. Nothing is kept, so a body may be of any
 * size, and a service that reads slowly slows its sender.
 */
export async function upload(route: Route, { method, transport, request, ...place }: Upload): Promise<UploadResponse> {
  const contentType = request.header.get("content-type") ?? "";
  const pieces = rawChunks(request);
  const first = route.read({ body: undefined, raw: { contentType, data: new Uint8Array() }, ...place });
  const messages = uploaded(route, { method, pieces, first, contentType });
  const header = callHeaders(request.header);
  const response = await transport.stream(method, request.signal, undefined, header, messages, request.contextValues);
  let answer: Message | undefined;
  for await (const message of response.message) answer ??= message;
  if (answer === undefined) throw new ConnectError("the service has not answered", Code.Internal);
  return { header: response.header, trailer: response.trailer, message: answer };
}

interface Uploaded {
  readonly method: DescMethodClientStreaming;
  readonly pieces: AsyncIterable<Uint8Array>;
  /** What path and query say; sent alone when there is no body. */
  readonly first: Message;
  readonly contentType: string;
}

async function* uploaded(
  { binding }: Route,
  { method, pieces, first, contentType }: Uploaded,
): AsyncGenerator<Message> {
  let next: Message | undefined = first;
  for await (const data of pieces) {
    const message: Message = next ?? create(method.input);
    placeRaw(message, binding, { contentType: next === undefined ? "" : contentType, data });
    next = undefined;
    yield message;
  }
  if (next !== undefined) yield next;
}
