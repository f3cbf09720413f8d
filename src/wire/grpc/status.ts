import { Code, ConnectError } from "@connectrpc/connect";
import { setTrailerStatus, validateResponseWithCompression, validateTrailer } from "@connectrpc/connect/protocol-grpc";
import { type Fields, fieldOf, fieldsOf, headersOf } from "../../call/fields.ts";
import { headers } from "../../call/headers.ts";
import { compressions } from "./compressions.ts";

/** Content type of what we send; `application/grpc` alone says the same. */
export const contentType = "application/grpc+proto";

/** Head of an answer that goes well so far. Frozen, so that its block is encoded once. */
export const answerHead: Fields = Object.freeze([":status", "200", "content-type", contentType]);

/** Trailers of a call that went well. */
export const okTrailers: Fields = Object.freeze(["grpc-status", "0"]);

/**
 * Trailers that tell of the error, after those the handler has set. Of an error that the handler was told by another
 * server and hands on, the trailers there are nobody's business here, save that it is not to be repeated.
 */
export function errorTrailers(error: ConnectError, own: Headers | undefined): Fields {
  if (own !== undefined || !Object.isFrozen(error)) return fieldsOf([], trailersOf(error, own));
  const known = unchanging.get(error);
  if (known !== undefined) return known;
  const made = fieldsOf([], trailersOf(error, undefined));
  unchanging.set(error, made);
  return made;
}

function trailersOf(error: ConnectError, own: Headers | undefined): Headers {
  const trailers = setTrailerStatus(new Headers(own), error);
  if (error.metadata.get(headers.retryPushback) === never) trailers.set(headers.retryPushback, never);
  return trailers;
}

/** As pushback: not to be repeated (gRFC A6). */
const never = "-1";

/** What frozen errors say: one that refuses many calls is written once. */
const unchanging = new WeakMap<ConnectError, Fields>();

/** What its caller is told of what a handler threw: nothing, unless it was meant for it. */
export function toldError(reason: unknown): ConnectError {
  if (reason instanceof ConnectError) return reason;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, reason);
}

/** Whether the header fields of a request or an answer are those of gRPC with binary messages. */
export function isGrpc(fields: Fields): boolean {
  const type = fieldOf(fields, "content-type");
  return type === contentType || type === "application/grpc" || (type !== undefined && grpcType.test(type));
}

/**
 * The error that an answer tells by its head and trailers; `undefined` for a call that went well. An answer of a head
 * alone ("Trailers-Only") has its status there.
 */
export function answerError(head: Fields, trailers: Fields | undefined): ConnectError | undefined {
  const last = trailers ?? head;
  const isWell = fieldOf(last, "grpc-status") === "0" && fieldOf(last, "grpc-status-details-bin") === undefined;
  return isWell && headError(head) === undefined ? undefined : toldBy(head, trailers);
}

/** The error that the head of an answer is by itself, whatever follows: not gRPC, not understood, or Trailers-Only. */
export function headError(head: Fields): ConnectError | undefined {
  const isUsual = fieldOf(head, ":status") === "200" && isGrpc(head) && fieldOf(head, "grpc-encoding") === undefined;
  if (isUsual && fieldOf(head, "grpc-status") === undefined) return undefined;
  return thrown(() => {
    const { headerError } = validate(head, headersOf(head));
    if (headerError) throw headerError;
  });
}

/** The head of an answer whose status is not its: it is in the head only of an answer that has nothing else. */
export function withoutStatus(head: Fields): Fields {
  if (fieldOf(head, "grpc-status") === undefined) return head;
  return head.filter((_, i) => !statusFields.has(head[i - (i % 2)] as string));
}

const statusFields = new Set(["grpc-status", "grpc-message", "grpc-status-details-bin"]);

function toldBy(head: Fields, trailers: Fields | undefined): ConnectError | undefined {
  const header = headersOf(head);
  return thrown(() => {
    const { headerError } = validate(head, header);
    if (headerError) throw headerError;
    validateTrailer(trailers === undefined ? new Headers() : headersOf(trailers), header);
  });
}

function validate(head: Fields, header: Headers) {
  return validateResponseWithCompression([...compressions], Number(fieldOf(head, ":status")), header);
}

function thrown(check: () => void): ConnectError | undefined {
  try {
    check();
    return undefined;
  } catch (reason) {
    return ConnectError.from(reason, Code.Internal); // e.g. details that cannot be decoded
  }
}

const grpcType = /^application\/grpc(\+proto)?(;.*)?$/i;
