import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { expect, test } from "vitest";
import { restRequest } from "../../testing/rest-caller.ts";
import { withCors } from "./cors.ts";

const origin = "https://shop.example";
const inner = async (): Promise<UniversalServerResponse> => ({ status: 200, header: new Headers({ "x-own": "1" }) });

async function ask(origins: readonly string[], header: Record<string, string>, method = "POST") {
  const answer = await withCors(origins, inner)(restRequest(method, "/v1/users", { header }));
  return { status: answer.status, header: Object.fromEntries(answer.header ?? []) };
}

const preflight = {
  origin,
  "access-control-request-method": "POST",
  "access-control-request-headers": "X-Tenant, foo",
};

test("a preflight is answered with what Connect, gRPC-Web and REST need, and remembered for two hours", async () => {
  const { status, header } = await ask(["*"], preflight, "OPTIONS");
  expect(status).toBe(204);
  expect(header).toMatchObject({ "access-control-allow-origin": "*", "access-control-max-age": "7200" });
  expect(header["access-control-allow-methods"]).toBe("GET, HEAD, POST, PUT, PATCH, DELETE");
  const allowed = header["access-control-allow-headers"]?.split(", ");
  const needed = ["content-type", "connect-protocol-version", "connect-timeout-ms", "x-grpc-web", "grpc-timeout"];
  expect(allowed).toEqual(expect.arrayContaining([...needed, "authorization", "idempotency-key", "x-tenant"]));
  expect(allowed).not.toContain("foo");
  expect(header).not.toHaveProperty("x-own");
});

test("with * every page may read the answer, and none may send credentials", async () => {
  const { header } = await ask(["*"], { origin });
  expect(header).toMatchObject({ "x-own": "1", "access-control-allow-origin": "*" });
  expect(header["access-control-expose-headers"]).toMatch(/grpc-status.*Location/i);
  expect(header).not.toHaveProperty("access-control-allow-credentials");
});

test("origins named one by one get their own name back, and caches are told that it differs", async () => {
  const { header } = await ask([origin], { origin });
  expect(header).toMatchObject({ "access-control-allow-origin": origin, vary: "Origin" });
  expect(header["access-control-allow-credentials"]).toBe("true");
  expect((await ask([origin], {})).header).toEqual({ "x-own": "1", vary: "Origin" });
});

test("another origin is let nowhere", async () => {
  const named = ["https://other.example"];
  expect((await ask(named, { origin })).header).toEqual({ "x-own": "1", vary: "Origin" });
  const { status, header } = await ask(named, preflight, "OPTIONS");
  expect([status, header]).toEqual([204, { vary: "Origin, Access-Control-Request-Headers" }]);
});
