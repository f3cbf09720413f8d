import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { withSecurityHeaders } from "./security-headers.ts";

/** The headers of what the gateway makes of an answer. */
async function headersOf(
  answer: UniversalServerResponse,
  { method = "GET", url = "http://a/v1/users", everybody = true } = {},
) {
  const handler = withSecurityHeaders({ everybody }, async () => answer);
  const signal = new AbortController().signal;
  const { header } = await handler({ httpVersion: "2.0", method, url, header: new Headers(), body: {}, signal });
  return Object.fromEntries(header ?? []);
}

test("an answer that says nothing of it is not guessed at, not run, not framed, not told to others", async () => {
  expect(await headersOf({ status: 200 })).toEqual({
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "cross-origin",
    "cache-control": "private, no-cache",
  });
});

test("what an answer says of itself stands: a page's policy, and how it may be cached", async () => {
  const own = { "content-security-policy": "default-src 'self'", "cache-control": "public, max-age=2" };
  expect(await headersOf({ status: 200, header: new Headers(own) })).toMatchObject(own);
});

test.each([
  ["GET", 200, "private, no-cache"],
  ["HEAD", 304, "private, no-cache"],
  ["GET", 404, "no-store"],
  ["GET", 503, "no-store"],
  ["POST", 200, "no-store"],
])("where nothing is said, the answer to %s with %i is for caches: %s", async (method, status, caching) => {
  expect((await headersOf({ status }, { method }))["cache-control"]).toBe(caching);
});

test("browsers are told to come over TLS only by answers over TLS, and never for localhost", async () => {
  const told = async (url: string) => (await headersOf({ status: 200 }, { url }))["strict-transport-security"];
  expect(await told("https://shop.example/v1/users")).toBe("max-age=31536000");
  expect(await told("http://shop.example/v1/users")).toBeUndefined();
  expect(await told("https://localhost:8000/v1/users")).toBeUndefined();
});

test("where only some pages may read the answers, no other may show them", async () => {
  const { "cross-origin-resource-policy": policy } = await headersOf({ status: 200 }, { everybody: false });
  expect(policy).toBe("same-origin");
});

test("answers in gRPC carry nothing that is for browsers", async () => {
  const header = new Headers({ "content-type": "application/grpc+proto" });
  expect(await headersOf({ status: 200, header })).toEqual({ "content-type": "application/grpc+proto" });
});
