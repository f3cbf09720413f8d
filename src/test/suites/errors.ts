import { type Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { errorReason } from "../../call/errors.ts";

/** What an error has to say to be the expected one. */
export interface Expected {
  readonly code: Code;
  readonly reason?: string;
  /** The fields its BadRequest names. */
  readonly fields?: readonly string[];
  readonly message?: RegExp;
}

/** Waits for a call to fail, and for its code, reason, fields and message to be the expected ones. */
export async function expectError(call: Promise<unknown>, expected: Expected): Promise<ConnectError> {
  const reason = await call.then(
    (answer) => expect.fail(`answered ${JSON.stringify(answer, (_, value) => String(value))} instead of failing`),
    (error: unknown) => error,
  );
  expect(reason).toBeInstanceOf(ConnectError);
  const error = ConnectError.from(reason);
  expect(error.message).toMatch(expected.message ?? /./);
  expect(error.code, error.message).toBe(expected.code);
  if (expected.reason) expect(errorReason(error)?.reason).toBe(expected.reason);
  if (expected.fields) {
    const named = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
    expect(named.map(({ field }) => field)).toEqual(expected.fields);
  }
  return error;
}
