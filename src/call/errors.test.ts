import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { BadRequestSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import {
  alreadyExists,
  conflict,
  deadlineExceeded,
  errorReason,
  errorWithInfo,
  failedPrecondition,
  invalidArgument,
  notFound,
  resourceExhausted,
  unavailable,
} from "./errors.ts";

const info = { reason: "BECAUSE", domain: "made.v1", metadata: { fact: "yes" } };

test.each([
  {
    error: notFound("order item", "7", "shop.order.v1"),
    code: Code.NotFound,
    message: "order item 7 does not exist",
    reason: { reason: "ORDER_ITEM_NOT_FOUND", domain: "shop.order.v1", metadata: { "order item": "7" } },
  },
  {
    error: notFound("user", 42n),
    code: Code.NotFound,
    message: "user 42 does not exist",
    reason: { reason: "USER_NOT_FOUND", domain: "heddle", metadata: { user: "42" } },
  },
  {
    error: alreadyExists("user", "email", "a@b.c"),
    code: Code.AlreadyExists,
    message: "another user has the email a@b.c",
    reason: { reason: "EMAIL_TAKEN", metadata: { field: "email" } },
  },
  {
    error: conflict("user", 1n, { expected: 2, actual: 3 }),
    code: Code.Aborted,
    message: "user 1 is at version 3, not 2: read it again before changing it",
    reason: { reason: "VERSION_CONFLICT", metadata: { expected: "2", actual: "3" } },
  },
  { error: failedPrecondition("no", info), code: Code.FailedPrecondition, message: "no", reason: info },
  { error: unavailable("away", info), code: Code.Unavailable, message: "away", reason: info },
  { error: resourceExhausted("full", info), code: Code.ResourceExhausted, message: "full", reason: info },
  {
    error: deadlineExceeded("late"),
    code: Code.DeadlineExceeded,
    message: "late",
    reason: { reason: "DEADLINE_EXCEEDED", domain: "heddle" },
  },
])("$message: code, reason and facts", ({ error, code, message, reason }) => {
  expect(error).toBeInstanceOf(ConnectError);
  expect(error).toMatchObject({ code, rawMessage: message });
  expect(errorReason(error)).toMatchObject(reason);
});

test("an invalid request names every field, in the message and in its details", () => {
  const violations = [
    { field: "email", description: "must be an email" },
    { field: "items[0].qty", description: "must be positive" },
  ];
  const error = invalidArgument(violations);
  expect(error).toMatchObject({
    code: Code.InvalidArgument,
    rawMessage: "email: must be an email; items[0].qty: must be positive",
  });
  expect(error.findDetails(BadRequestSchema)).toMatchObject([{ fieldViolations: violations }]);
  expect(invalidArgument([]).rawMessage).toBe("invalid request");
});

test.each([unavailable, resourceExhausted])("%o may say when to try again, beside its reason", (make) => {
  const error = make("later", { ...info, retryAfterMs: 1_500 });
  expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 1n, nanos: 500_000_000 } }]);
  expect(errorReason(error)).toMatchObject(info);
  expect(make("later", info).findDetails(RetryInfoSchema)).toEqual([]);
});

test("an error without info has no reason; facts are copied, not shared", () => {
  expect(errorReason(new ConnectError("plain"))).toBeUndefined();
  const metadata = { fact: "before" };
  const error = errorWithInfo(Code.Internal, "x", { reason: "R", domain: "d", metadata });
  metadata.fact = "after";
  expect(errorReason(error)?.metadata).toEqual({ fact: "before" });
});
