import { Code, ConnectError } from "@connectrpc/connect";
import { ConnectionException, DeadlockException, LockWaitTimeoutException, OptimisticLockError } from "@mikro-orm/core";
import { deadlineExceeded, errorReason, errorWithInfo, invalidArgument, unavailable } from "../call/errors.ts";
import type { FailureCode } from "./failure.ts";
import { isLocked } from "./lock-wait.ts";
import { isPreparingsFault } from "./prepared-statements.ts";

const domain = "heddle";
const retryAfterMs = 100;

/** SQLSTATEs that say the server is away, going, or full; their first letters where the whole class says so. */
const awayState = /^(08...|57P0[1-5]|53300)$/;
/** SQLSTATEs of a wait that took too long: lock_not_available, query_canceled; and out_of_memory. */
const busyState = /^(55P03|57014|53200)$/;
/** SQLSTATE character_not_in_repertoire, which is what U+0000 is to PostgreSQL, and here to SQLite too. */
export const nulState = "22021";
const awayCode = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;
const awayMessage =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|client was closed and is not queryable/i;

/** What the database's own failures are to callers: by SQLSTATE of PostgreSQL, and by number of SQLite. */
const troubles = [
  {
    states: /^53100$/,
    sqlite: [13], // SQLITE_FULL
    error: () =>
      errorWithInfo(Code.ResourceExhausted, `the disk of the database is full: ${makeRoom}`, info("DATABASE_FULL")),
  },
  {
    states: /^25006$/,
    sqlite: [8], // SQLITE_READONLY
    error: () => unavailable(`the database may only be read: ${mayWrite}`, info("DATABASE_READ_ONLY")),
  },
  {
    states: /^XX00[12]$/,
    sqlite: [11, 26], // SQLITE_CORRUPT, SQLITE_NOTADB
    error: () => errorWithInfo(Code.DataLoss, "the database is damaged: restore a backup", info("DATABASE_DAMAGED")),
  },
  {
    states: /^58030$/,
    sqlite: [10, 14], // SQLITE_IOERR, SQLITE_CANTOPEN
    error: () => unavailable("the disk of the database fails", info("DATABASE_IO_ERROR")),
  },
] as const;

const makeRoom =
  "make room where HEDDLE_DATA is, or in the PostgreSQL server's data folder; what was there is still there";
const mayWrite =
  "let the service write to the files in HEDDLE_DATA, or point DATABASE_URL to a PostgreSQL server that is no standby and has default_transaction_read_only off";

/** What our own drivers say. */
const failures: Readonly<Record<FailureCode, () => ConnectError>> = {
  STORE_LATE: () => deadlineExceeded("the deadline passed while the database was asked"),
  STORE_POOL: () =>
    unavailable("all connections to the database are in use: DATABASE_POOL says how many a process may have", {
      ...info("DATABASE_POOL_EXHAUSTED"),
      retryAfterMs,
    }),
  STORE_COMMIT_UNKNOWN: () =>
    unavailable(
      "the connection to the database was lost while it wrote, so the change may be made or not: read before changing again, or repeat the request with the same request_id",
      info("DATABASE_COMMIT_UNKNOWN"),
    ),
  STORE_ROLLED_BACK: () =>
    errorWithInfo(Code.Internal, "nothing was written, as a statement had failed before", info("DATABASE_ROLLED_BACK")),
};

/** Reasons that say nothing about the request: the same one is right as soon as the database is well again. */
const databaseReasons = /^DATABASE_(BUSY|UNAVAILABLE|FULL|READ_ONLY|DAMAGED|IO_ERROR|POOL_EXHAUSTED|COMMIT_UNKNOWN)$/;

/**
 * What callers see of a failure in the database, decided here and nowhere else: away or locked is UNAVAILABLE, a
 * row changed by somebody else is ABORTED. Anything else comes back as it is: a broken rule of the schema (unique,
 * for one) means something to the repository alone.
 */
export function databaseError(reason: unknown): unknown {
  if (isOptimisticLock(reason)) return changedMeanwhile();
  const known = failures[codeOf(reason) as FailureCode] ?? troubleOf(reason)?.error;
  if (known !== undefined) return known();
  if (isBusy(reason) || isPassing(reason)) {
    return unavailable("the database is busy", { ...info("DATABASE_BUSY"), retryAfterMs });
  }
  if (isAway(reason)) {
    return unavailable("the database cannot be reached", { ...info("DATABASE_UNAVAILABLE"), retryAfterMs });
  }
  if (codeOf(reason) === nulState) return invalidArgument([{ field: "text", description: "must not contain U+0000" }]);
  return reason;
}

/**
 * Whether the same unit, run again, may well succeed: it lost to another one, or a table was changed under what it had prepared.
 * It has left nothing behind.
 */
export function isPassing(reason: unknown): boolean {
  const isLost = reason instanceof DeadlockException || /^40(001|P01)$/.test(codeOf(reason));
  return isLost || isPreparingsFault(reason);
}

/**
 * Whether an error of a unit or a read is the database's alone: away, busy, full, out of time. What was asked of it is
 * neither done nor wrong, and is to be asked again later.
 */
export function isDatabaseTrouble(reason: unknown): boolean {
  const error = databaseError(reason);
  if (!(error instanceof ConnectError)) return false;
  return error.code === Code.DeadlineExceeded || databaseReasons.test(errorReason(error)?.reason ?? "");
}

/** Whether a SQLite file, or the server's, is damaged. */
export function isDamaged(reason: unknown): boolean {
  return troubleOf(reason) === troubles[2];
}

function info(reason: string) {
  return { reason, domain };
}

function troubleOf(reason: unknown) {
  const number = reason instanceof Error && "errcode" in reason ? Number(reason.errcode) & 0xff : undefined;
  const state = codeOf(reason);
  return troubles.find(({ states, sqlite }) => states.test(state) || sqlite.some((code) => code === number));
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
