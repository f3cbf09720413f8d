import {
  create,
  type DescMessage,
  fromBinary,
  type JsonObject,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { isTree } from "../fields.ts";
import { Refusal } from "../refusal.ts";
import { splitUrl } from "../url.ts";
import { answerHeaders, jsonAnswer } from "./answer.ts";
import { prefersProblem, problemJson } from "./problem.ts";

/** HTTP status by gRPC code: the comments of google/rpc/code.proto. */
export const httpStatus: Readonly<Record<Code, number>> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

/**
 * The answer to a request that failed, before or during its call: HTTP status, `Retry-After`, and a google.rpc.Status,
 * or problem details (RFC 9457) for a caller that prefers them.
 */
export function errorAnswer(
  reason: unknown,
  request: UniversalServerRequest,
  registry: Registry,
): UniversalServerResponse {
  const refused = reason instanceof Refusal;
  const error = refused ? reason.error : knownError(reason, request.signal);
  const header = answerHeaders(error.metadata);
  const retryAfter = retryAfterSeconds(error);
  if (retryAfter !== undefined) header.set("retry-after", String(retryAfter));
  if (refused) for (const [name, value] of Object.entries(reason.header)) header.set(name, value);
  const status = refused ? reason.status : (httpStatus[error.code] ?? 500);
  header.append("vary", "accept");
  const body = statusJson(error, registry);
  if (!prefersProblem(request.header.get("accept")))
    return jsonAnswer(status, JSON.stringify(body), header, request.method);
  const [path] = splitUrl(request.url);
  const problem = problemJson(error, { status, path, details: body.details });
  const answer = jsonAnswer(status, JSON.stringify(problem), header, request.method);
  header.set("content-type", "application/problem+json");
  return answer;
}

/**
 * The error as it may be shown. What is no ConnectError was not meant for callers: it is "internal error" and no more.
 * What was made here of another error, as of a connection that failed, names addresses: it keeps its code and details,
 * and is told in words of ours. A service's own words come without a cause.
 */
export function knownError(reason: unknown, signal: AbortSignal): ConnectError {
  if (reason instanceof ConnectError) {
    const said = reason.cause instanceof Error ? saidOutside.get(reason.code) : undefined;
    return said === undefined ? reason : inWords(reason, said);
  }
  if (signal.aborted) return new ConnectError("the caller is gone", Code.Canceled);
  return new ConnectError("internal error", Code.Internal);
}

/** What is said of failures whose cause is ours to know. */
const saidOutside = new Map([
  [Code.Unavailable, "the service cannot be reached at the moment"],
  [Code.Internal, "internal error"],
  [Code.Unknown, "internal error"],
  [Code.Aborted, "the call was broken off"],
]);

function inWords({ code, metadata, details }: ConnectError, message: string): ConnectError {
  const made = new ConnectError(message, code, metadata);
  made.details = details;
  return made;
}

/** google.rpc.Status as protojson: https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto */
export function statusJson(error: ConnectError, registry: Registry): StatusJson {
  return {
    code: error.code,
    message: error.rawMessage,
    details: error.details.map((detail) => detailJson(detail, registry)),
  };
}

/** A google.rpc.Status, written. */
export type StatusJson = { readonly code: number; readonly message: string; readonly details: JsonObject[] };

type Detail = ConnectError["details"][number];
type IncomingDetail = Extract<Detail, { type: string }>;

function detailJson(detail: Detail, registry: Registry): JsonObject {
  return "desc" in detail
    ? anyJson(detail.desc, create(detail.desc, detail.value), registry)
    : (decodedJson(detail, registry) ?? { "@type": typeUrl(detail.type), value: base64Encode(detail.value) });
}

/** `undefined` for a type that no contract here knows, or bytes that are not of the type: they are passed on as they are. */
function decodedJson({ type, value }: IncomingDetail, registry: Registry): JsonObject | undefined {
  const desc = registry.getMessage(type);
  try {
    return desc && anyJson(desc, fromBinary(desc, value), registry);
  } catch {
    return undefined;
  }
}

function anyJson(desc: DescMessage, message: Message, registry: Registry): JsonObject {
  const json = toJson(desc, message, { registry });
  const type = { "@type": typeUrl(desc.typeName) };
  return isTree(json) && !hasCustomJsonRepresentation(desc) ? { ...type, ...json } : { ...type, value: json };
}

function typeUrl(typeName: string): string {
  return `type.googleapis.com/${typeName}`;
}

function retryAfterSeconds(error: ConnectError): number | undefined {
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay && Math.max(0, Math.ceil(Number(delay.seconds) + delay.nanos / 1e9));
}
