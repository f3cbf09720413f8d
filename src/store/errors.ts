import type { ConnectError } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import { ConnectionException, DeadlockException, LockWaitTimeoutException, OptimisticLockError } from "@mikro-orm/core";
import { errorWithInfo, invalidArgument, unavailable } from "../call/errors.ts";
import { isLocked } from "./lock-wait.ts";

const domain = "heddle";
const retryAfterMs = 100;

/** SQLSTATEs that say the server is away, going, or full; their first letters where the whole class says so. */
const awayState = /^(08...|57P0[1-5]|53300)$/;
/** SQLSTATEs of a wait that took too long: lock_not_available, query_canceled. */
const busyState = /^(55P03|57014)$/;
/** SQLSTATE character_not_in_repertoire, which is what U+0000 is to PostgreSQL, and here to SQLite too. */
export const nulState = "22021";
const awayCode = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
const awayMessage =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error/i;

/**
 * What callers see of a failure in the database, decided here and nowhere else: away or locked is UNAVAILABLE, a
 * row changed by somebody else is ABORTED. Anything else comes back as it is: a broken rule of the schema (unique,
 * for one) means something to the repository alone.
 */
export function databaseError(reason: unknown): unknown {
  if (isOptimisticLock(reason)) return changedMeanwhile();
  if (isBusy(reason) || isDeadlock(reason)) {
    return unavailable("the database is busy", { reason: "DATABASE_BUSY", domain, retryAfterMs });
  }
  if (isAway(reason)) {
    return unavailable("the database cannot be reached", { reason: "DATABASE_UNAVAILABLE", domain, retryAfterMs });
  }
  if (codeOf(reason) === nulState) return invalidArgument([{ field: "text", description: "must not contain U+0000" }]);
  return reason;
}

/** Whether the same unit, run again, may well succeed: it lost to another one and has left nothing behind. */
export function isDeadlock(reason: unknown): boolean {
  return reason instanceof DeadlockException || /^40(001|P01)$/.test(codeOf(reason));
}

function isOptimisticLock(reason: unknown): boolean {
  return reason instanceof OptimisticLockError;
}

function changedMeanwhile(): ConnectError {
  return errorWithInfo(Code.Aborted, "changed by somebody else meanwhile: read it again before changing it", {
    reason: "VERSION_CONFLICT",
    domain,
  });
}

function isBusy(reason: unknown): boolean {
  return reason instanceof LockWaitTimeoutException || isLocked(reason) || busyState.test(codeOf(reason));
}

function isAway(reason: unknown): boolean {
  if (reason instanceof ConnectionException) return true;
  const code = codeOf(reason);
  if (awayState.test(code) || awayCode.test(code)) return true;
  return reason instanceof Error && awayMessage.test(reason.message);
}

function codeOf(reason: unknown): string {
  return reason instanceof Error && "code" in reason ? String(reason.code) : "";
}
