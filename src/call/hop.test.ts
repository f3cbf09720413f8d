import { expect, test } from "vitest";
import { fieldOf } from "./fields.ts";
import { headers } from "./headers.ts";
import { attemptTold, hopFields, retryDepthTold } from "./hop.ts";

const fields = ["x-a", "1"];

/** What a server reads of the attempt: which one it is, and at which depth. */
function arrives(attempt: number, retryDepth: number) {
  const sent = hopFields(fields, attempt, retryDepth);
  const told = attemptTold(fieldOf(sent, headers.previousAttempts));
  return [told, retryDepthTold(fieldOf(sent, headers.retryDepth), told)];
}

test("a first attempt that nobody above repeats carries nothing, in the very same list", () => {
  expect(hopFields(fields, 1, 0)).toBe(fields);
  expect(arrives(1, 0)).toEqual([1, 0]);
});

test("a re-attempt goes one deeper than the call it is made for, a first attempt as deep", () => {
  expect(arrives(2, 0)).toEqual([2, 1]);
  expect(arrives(3, 0)).toEqual([3, 1]);
  expect(arrives(1, 1)).toEqual([1, 1]);
  expect(arrives(2, 1)).toEqual([2, 2]);
  expect(hopFields(fields, 2, 1)).toEqual(["x-a", "1", "grpc-previous-rpc-attempts", "1", "heddle-retry-depth", "2"]);
  expect(fields).toEqual(["x-a", "1"]);
});

test("a caller that tells only of its attempts is taken to be one deep where it repeats", () => {
  expect(retryDepthTold(undefined, attemptTold("1"))).toBe(1);
  expect(retryDepthTold(undefined, attemptTold(undefined))).toBe(0);
  expect(retryDepthTold("3", 2)).toBe(3);
});

test("malformed counts count nothing", () => {
  for (const wrong of ["", "-1", "1.5", "two", "1e3", "0x1", "9".repeat(40)]) {
    expect(attemptTold(wrong), wrong).toBe(1);
    expect(retryDepthTold(wrong, 1), wrong).toBe(0);
  }
});
