import { createRegistry } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { unavailable } from "../call/errors.ts";
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
  const message = `nothing is served at ${request.method} ${new URL(request.url).pathname}`;
  return withoutService(request, { error: new ConnectError(message, Code.NotFound), status: 404, grpc: nothingCode });
}

/** The same of a path of which it is not known yet whether anything is served there: ask again. */
export function notHereYet(request: UniversalServerRequest): UniversalServerResponse {
  const what = `${request.method} ${new URL(request.url).pathname}`;
  const message = `what is served is still being asked: it is not known yet what ${what} is`;
  const error = unavailable(message, { reason: "ROUTES_NOT_KNOWN_YET", domain: "heddle", retryAfterMs });
  return withoutService(request, { error, status: 503, grpc: error.code });
}

/** Whether an answer says that nothing is served. */
export function isNothing({ status, header }: UniversalServerResponse): boolean {
  return status === 404 || header?.get("grpc-status") === String(nothingCode);
}

/** What gRPC says of a method that is not there. */
const nothingCode = Code.Unimplemented;
const retryAfterMs = 500;

interface Refusal {
  readonly error: ConnectError;
  readonly status: number;
  /** The code that gRPC has for it. */
  readonly grpc: Code;
}

function withoutService(request: UniversalServerRequest, { error, status, grpc }: Refusal): UniversalServerResponse {
  const contentType = request.header.get("content-type") ?? "";
  if (request.header.has("connect-protocol-version") || /^application\/(proto$|connect\+)/.test(contentType)) {
    return textAnswer(status, `${error.rawMessage}\n`, { "content-type": "text/plain; charset=utf-8" });
  }
  if (!contentType.startsWith("application/grpc")) return errorAnswer(error, request, noTypes);
  return {
    status: 200,
    header: new Headers({
      "content-type": contentType,
      "grpc-status": String(grpc),
      "grpc-message": encodeURIComponent(error.rawMessage),
    }),
  };
}
