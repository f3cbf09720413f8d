import { Code, ConnectError } from "@connectrpc/connect";
import { errorReason } from "../call/errors.ts";
import { isDatabaseTrouble } from "../store/errors.ts";

/**
 * Whether a failure says nothing about the event: the database is away, busy, full or gave way to somebody else, or what
 * the handler publishes has no room for the moment. The same may go well later.
 */
export function isNotNow(reason: unknown): boolean {
  if (isDatabaseTrouble(reason)) return true;
  if (!(reason instanceof ConnectError)) return false;
  if (reason.code === Code.Unavailable || reason.code === Code.Aborted) return true;
  return errorReason(reason)?.reason === "OUTBOX_FULL";
}
