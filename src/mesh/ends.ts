import { clone, type DescMethodUnary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { deadlineExceeded, errorReason, resourceExhausted } from "../call/errors.ts";
import { fallbackKey } from "../call/fallback.ts";
import { headers } from "../call/headers.ts";
import { methodName } from "../call/method.ts";
import type { OutgoingCall } from "../call/outgoing-call.ts";
import { methodPolicy } from "../call/policy.ts";
import { progressOf, withProgress } from "../call/progress.ts";
import { rawMessage } from "../call/raw-message.ts";
import { whole } from "../wire/grpc/messages.ts";
import { UnaryAnswer } from "../wire/grpc/unary-answer.ts";
import type { Route } from "./route.ts";

/** The error of a call that was never sent, for `why`: it has too little time left. */
export function comesTooLate({ method }: Route, why: string): ConnectError {
  return withProgress(deadlineExceeded(`${methodName(method)} ${why}`), "not-sent");
}

/** The error of a call for which there was no place, nor one to wait in. */
export function findsNoPlace({ method, bulkhead }: Route): ConnectError {
  const { typeName: service } = method.parent;
  const info = { reason: "BULKHEAD_FULL", domain: "heddle", metadata: { service } };
  return withProgress(resourceExhausted(`${service} has ${bulkhead.why}`, info), "not-sent");
}

/**
 * Marks the error of a call for which all was done that could be: it is not to be repeated any more. A handler that hands
 * it on to its own caller hands that on too, so that a failure is not repeated once more by every hop above.
 */
export function notToBeRepeated(error: ConnectError): ConnectError {
  error.metadata.set(headers.retryPushback, "-1");
  return error;
}

/** The error, saying after how many attempts and why no further one was made, where that is news. */
export function afterAttempts(error: ConnectError, attempts: number, why = ""): ConnectError {
  if (attempts === 1 && why === "") return error;
  const message = `${error.rawMessage} (${attempts} ${attempts === 1 ? "attempt" : "attempts"}${why && `; ${why}`})`;
  const made = new ConnectError(message, error.code, error.metadata, undefined, error.cause);
  made.details = error.details;
  return withProgress(made, progressOf(error));
}

/** What answers a unary call that nobody could be asked: the caller's own fallback, or the contract's, if there is one. */
export function fallbackAnswer(call: OutgoingCall, error: ConnectError): UnaryAnswer | undefined {
  const wasAsked = progressOf(error) !== "not-sent" || error.code === Code.DeadlineExceeded;
  if (wasAsked || call.aborted || call.isStream) return undefined;
  const { output } = call.method;
  const { fallback } = methodPolicy(call.method);
  const own = call.values?.get(fallbackKey)?.(error);
  const message = own === undefined ? fallback && clone(output, fallback) : whole(output, own);
  if (message === undefined) return undefined;
  const given = call.isRaw ? rawMessage(toBinary(output, message)) : message;
  const reason = errorReason(error)?.reason ?? "NOT_SENT";
  return new UnaryAnswer(call.method as DescMethodUnary, given, [headers.fallback, reason], undefined);
}
