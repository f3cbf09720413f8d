import { Code, ConnectError } from "@connectrpc/connect";
import { DeadlockException, LockWaitTimeoutException, OptimisticLockError } from "@mikro-orm/core";
import { expect, test } from "vitest";
import { databaseError, isPassing } from "./errors.ts";

const withCode = (code: string, message = "") => Object.assign(new Error(message), { code });

test("a database that is away or locked is UNAVAILABLE", () => {
  const away = [
    withCode("ECONNREFUSED"),
    withCode("57P01", "terminating connection due to administrator command"),
    withCode("08006"),
    withCode("53300", "sorry, too many clients already"),
    new Error("Connection terminated unexpectedly"),
    new Error("timeout exceeded when trying to connect"),
  ];
  const busy = [new Error("database is locked"), new LockWaitTimeoutException(new Error("x")), withCode("55P03")];
  for (const reason of [...away, ...busy]) {
    expect(databaseError(reason), reason.message).toMatchObject({ code: Code.Unavailable });
  }
});

test("a row that somebody else changed is ABORTED", () => {
  expect(databaseError(new OptimisticLockError("stale"))).toMatchObject({ code: Code.Aborted });
});

test("what is no failure of the database comes back as it is", () => {
  for (const reason of [new Error("mine"), new ConnectError("mine", Code.NotFound), "mine", undefined]) {
    expect(databaseError(reason)).toBe(reason);
  }
});

test("a deadlock lost and a failed serialization are worth another run", () => {
  expect(isPassing(new DeadlockException(new Error("deadlock detected")))).toBe(true);
  expect(isPassing(withCode("40001"))).toBe(true);
  expect(isPassing(withCode("23505"))).toBe(false);
});
