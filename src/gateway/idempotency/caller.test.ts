import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { restRequest } from "../../testing/rest-caller.ts";
import { callerOf } from "./caller.ts";

const as = (authorization?: string) =>
  restRequest("POST", "/v1/orders", { header: authorization === undefined ? {} : { authorization } });

test("where nothing proves callers, they are told apart by what they show, and all who show nothing are one", async () => {
  const caller = callerOf(undefined);
  expect(await caller(as("Bearer a"))).toBe(await caller(as("Bearer a")));
  expect(new Set([await caller(as("Bearer a")), await caller(as("Bearer b")), await caller(as())]).size).toBe(3);
  expect(await caller(as())).toBe(await caller(as()));
});

test("where callers are proven, one with a new token is still the same, and a false one is nobody", async () => {
  const caller = callerOf(async ({ requestHeader }) => {
    const token = requestHeader.get("authorization");
    if (token === null) return undefined;
    if (token.startsWith("false")) throw new ConnectError("expired", Code.Unauthenticated);
    return { subject: token.split(" ")[0] ?? "", scopes: new Set() };
  });
  expect(await caller(as("ada token-1"))).toBe(await caller(as("ada token-2")));
  expect(await caller(as("eve token-3"))).not.toBe(await caller(as("ada token-1")));
  expect(await caller(as("false token"))).toBeUndefined();
  expect(await caller(as())).not.toBe(await caller(as("ada token-1")));
});

test("the same subject of another issuer is another caller, and so is one who shows what proves nothing here", async () => {
  const caller = callerOf(async ({ requestHeader }) => {
    const [scheme, iss] = requestHeader.get("authorization")?.split(" ") ?? [];
    return scheme === "Bearer" ? { subject: "ada", scopes: new Set<string>(), claims: { iss } } : undefined;
  });
  const shown = ["Bearer here", "Bearer there", "Basic a", "Basic b", undefined];
  const told = await Promise.all(shown.map((authorization) => caller(as(authorization))));
  expect(new Set(told).size).toBe(shown.length);
});
