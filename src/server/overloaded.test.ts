import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { isOverloaded, overloaded } from "./overloaded.ts";

const limit = { message: "too much", metadata: { limit: "in-flight" }, retryAfterMs: 100 };

test("a refusal for overload is known as one, and no other RESOURCE_EXHAUSTED is", () => {
  expect(isOverloaded(overloaded(limit))).toBe(true);
  expect(isOverloaded(new ConnectError("too much", Code.ResourceExhausted))).toBe(false);
  for (const reason of [undefined, null, "too much"]) expect(isOverloaded(reason)).toBe(false);
});

test("it may refuse any number of calls, for none of them can change it for the others", () => {
  const error = overloaded(limit);
  expect(() => Object.assign(error, { code: Code.Internal })).toThrow(TypeError);
  expect(() => error.details.pop()).toThrow(TypeError);
});
