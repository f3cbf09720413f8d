import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { errorReason } from "../call/errors.ts";
import { refusal } from "./access.ts";

const ada = { subject: "ada", scopes: new Set(["users:read"]) };
const closed = (...scopes: string[]) => ({ scopes, anonymous: false });

test.each([
  ["a contract without a word on access", undefined, undefined],
  ["a method open to all", { scopes: [], anonymous: true }, undefined],
  ["a method for any proven caller", closed(), ada],
  ["a caller with every scope", closed("users:read"), ada],
])("%s lets in", (_, access, principal) => {
  expect(refusal(access, principal)).toBeUndefined();
});

test("one who shows nothing is unauthenticated", () => {
  const error = refusal(closed(), undefined);
  expect(error?.code).toBe(Code.Unauthenticated);
  expect(error && errorReason(error)?.reason).toBe("CREDENTIALS_MISSING");
});

test("one who lacks a scope is told which, and each of them", () => {
  const error = refusal(closed("users:read", "users:write", "admin"), ada);
  expect(error).toMatchObject({ code: Code.PermissionDenied, rawMessage: "ada lacks the scope users:write, admin" });
  expect(error && errorReason(error)).toMatchObject({
    reason: "SCOPE_MISSING",
    metadata: { scopes: "users:write admin" },
  });
});
