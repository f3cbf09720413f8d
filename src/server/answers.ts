import { createRegistry } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { WholeBody } from "../call/whole-body.ts";
import { errorAnswer } from "../rest/response/error.ts";

/** An answer of one JSON value. */
export function jsonAnswer(
  status: number,
  value: unknown,
  header: Record<string, string> = {},
): UniversalServerResponse {
  return textAnswer(status, JSON.stringify(value), { "content-type": "application/json", ...header });
}

/** An answer of one text; its content type is the header's to say. */
export function textAnswer(status: number, text: string, header: Record<string, string>): UniversalServerResponse {
  const body = new WholeBody(text);
  return { status, header: new Headers({ ...header, "content-length": String(body.sizeBytes) }), body };
}

const noTypes = createRegistry();

/** Nothing is served at this path: in gRPC's words to a gRPC client, in plain ones to Connect's, else as REST has errors. */
export function nothingHere(request: UniversalServerRequest): UniversalServerResponse {
  const { pathname } = new URL(request.url);
  const message = `nothing is served at ${request.method} ${pathname}`;
  const contentType = request.header.get("content-type") ?? "";
  if (request.header.has("connect-protocol-version") || /^application\/(proto$|connect\+)/.test(contentType)) {
    return textAnswer(404, `${message}\n`, { "content-type": "text/plain; charset=utf-8" });
  }
  if (!contentType.startsWith("application/grpc"))
    return errorAnswer(new ConnectError(message, Code.NotFound), request, noTypes);
  return {
    status: 200,
    header: new Headers({
      "content-type": contentType,
      "grpc-status": String(Code.Unimplemented),
      "grpc-message": encodeURIComponent(message),
    }),
  };
}
