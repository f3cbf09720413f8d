import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { codeName, codeOf, verdictOf } from "./outcome.ts";
import { progressOf, withProgress } from "./progress.ts";

test.each([
  [undefined, "ok"],
  [Code.NotFound, "ok"],
  [Code.InvalidArgument, "ok"],
  [Code.Unauthenticated, "ok"],
  [Code.Unimplemented, "ok"],
  [Code.Unavailable, "failure"],
  [Code.DeadlineExceeded, "failure"],
  [Code.ResourceExhausted, "failure"],
  [Code.Internal, "failure"],
  [Code.Unknown, "failure"],
  [Code.DataLoss, "failure"],
  [Code.Canceled, "neither"],
] as const)("code %s says of its endpoint: %s", (code, verdict) => {
  expect(verdictOf(code)).toBe(verdict);
});

test("an attempt counts as processed until somebody knows better", () => {
  const error = new ConnectError("x");
  expect(progressOf(error)).toBe("processed");
  expect(progressOf(withProgress(error, "refused"))).toBe("refused");
});

const living = new AbortController().signal;
const late = new ConnectError("late", Code.DeadlineExceeded);

test.each([
  ["a good end", undefined, living, undefined],
  ["an error with a code", new ConnectError("x", Code.NotFound), living, Code.NotFound],
  ["an error without", new TypeError("x"), living, Code.Internal],
  [
    "a caller that left for a reason of its own",
    new ConnectError("rst", Code.Internal),
    AbortSignal.abort("bored"),
    Code.Canceled,
  ],
  ["a caller that left", new Error("x"), AbortSignal.abort(), Code.Canceled],
  ["a deadline", new Error("x"), AbortSignal.abort(late), Code.DeadlineExceeded],
] as const)("the code of %s", (_, reason, signal, code) => {
  expect(codeOf(reason, signal)).toBe(code);
});

test.each([
  [undefined, "OK"],
  [Code.NotFound, "NOT_FOUND"],
  [Code.DeadlineExceeded, "DEADLINE_EXCEEDED"],
  [Code.Canceled, "CANCELLED"],
  [99 as Code, "UNKNOWN"],
])("code %s is spelled %s, as gRPC does", (code, name) => {
  expect(codeName(code)).toBe(name);
});
