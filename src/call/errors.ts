import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";

/** What a program can tell an error by: a stable word, who says it, and the facts. */
export interface ErrorReason {
  /** UPPER_SNAKE_CASE and stable: programs switch on it. */
  readonly reason: string;
  /** Who says it: the package of the service, or "heddle". */
  readonly domain: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A field that is not as it should be. */
export interface FieldViolation {
  /** Path from the request message, in proto names: "items[0].sku". */
  readonly field: string;
  /** What it has to be: reads on after the field's name. */
  readonly description: string;
}

/** An error whose `google.rpc.ErrorInfo` programs can rely on. */
export function errorWithInfo(code: Code, message: string, info: ErrorReason): ConnectError {
  const value: MessageInitShape<typeof ErrorInfoSchema> = {
    reason: info.reason,
    domain: info.domain,
    metadata: { ...info.metadata },
  };
  return new ConnectError(message, code, undefined, [{ desc: ErrorInfoSchema, value }]);
}

/** The resource does not exist, or the caller may not know that it does. */
export function notFound(resource: string, id: string | bigint, domain = "heddle"): ConnectError {
  const reason = `${resource.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_")}_NOT_FOUND`;
  return errorWithInfo(Code.NotFound, `${resource} ${id} does not exist`, {
    reason,
    domain,
    metadata: { [resource]: String(id) },
  });
}

/** Another resource has what may be had only once. */
export function alreadyExists(resource: string, field: string, value: string, domain = "heddle"): ConnectError {
  const reason = `${field.toUpperCase()}_TAKEN`;
  return errorWithInfo(Code.AlreadyExists, `another ${resource} has the ${field} ${value}`, {
    reason,
    domain,
    metadata: { field },
  });
}

/** Somebody else changed the resource since the caller read it: read it again, then decide again. */
export function conflict(
  resource: string,
  id: string | bigint,
  versions: { readonly expected: number; readonly actual: number },
  domain = "heddle",
): ConnectError {
  const { expected, actual } = versions;
  const message = `${resource} ${id} is at version ${actual}, not ${expected}: read it again before changing it`;
  const metadata = { expected: String(expected), actual: String(actual) };
  return errorWithInfo(Code.Aborted, message, { reason: "VERSION_CONFLICT", domain, metadata });
}

/** The request is wrong whatever the state of the system; every violation names its field. */
export function invalidArgument(violations: readonly FieldViolation[]): ConnectError {
  const message = violations.map(({ field, description }) => `${field}: ${description}`).join("; ");
  return new ConnectError(message || "invalid request", Code.InvalidArgument, undefined, [
    { desc: BadRequestSchema, value: { fieldViolations: violations.map((violation) => ({ ...violation })) } },
  ]);
}

/** The request is right, but not in the state the system is in. */
export function failedPrecondition(message: string, info: ErrorReason): ConnectError {
  return errorWithInfo(Code.FailedPrecondition, message, info);
}

/** The mesh that was to make the call is closed, or closes while the call waits. */
export function meshClosed(): ConnectError {
  return failedPrecondition("the mesh is closed", { reason: "MESH_CLOSED", domain: "heddle" });
}

/** Nobody there for the moment. `retryAfterMs` tells the caller when asking again may help. */
export function unavailable(message: string, info: ErrorReason & { readonly retryAfterMs?: number }): ConnectError {
  return retryLater(errorWithInfo(Code.Unavailable, message, info), info.retryAfterMs);
}

/** A limit is reached; with `retryAfterMs`, asking again then may help. */
export function resourceExhausted(
  message: string,
  info: ErrorReason & { readonly retryAfterMs?: number },
): ConnectError {
  return retryLater(errorWithInfo(Code.ResourceExhausted, message, info), info.retryAfterMs);
}

/** The call's deadline passed; the message says after how long and while doing what. */
export function deadlineExceeded(message: string): ConnectError {
  return errorWithInfo(Code.DeadlineExceeded, message, { reason: "DEADLINE_EXCEEDED", domain: "heddle" });
}

function retryLater(error: ConnectError, retryAfterMs: number | undefined): ConnectError {
  if (retryAfterMs !== undefined) {
    error.details.push({
      desc: RetryInfoSchema,
      value: create(RetryInfoSchema, { retryDelay: durationFromMs(Math.ceil(retryAfterMs)) }),
    });
  }
  return error;
}

/** The error's ErrorInfo, whether it was made here or came over the wire. */
export function errorReason(error: ConnectError): ErrorReason | undefined {
  return error.findDetails(ErrorInfoSchema)[0];
}
