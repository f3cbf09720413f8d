import { describe, expect, test, vi } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { annService, openTown, until } from "../../test/suites/gateway-parts.ts";
import { engines } from "../../wire/engines.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

const json = { "content-type": "application/json" };
const tooLarge = JSON.stringify({ name: "x".repeat(5 * 1024 * 1024) });

/** Requests that are answered at every depth of the gateway, and the status of each. */
const requests: readonly (readonly [about: string, path: string, init: RequestInit, status: number])[] = [
  ["an answer", "/v1/users/1", {}, 200],
  ["the head of one", "/v1/users/1", { method: "HEAD" }, 200],
  [
    "a resource that was created",
    "/v1/users",
    { method: "POST", headers: json, body: '{"name":"Bob","email":"b@c.de"}' },
    201,
  ],
  ["an error of the service", "/v1/users/2", {}, 404],
  ["a wrong request", "/v1/users/x", {}, 400],
  ["a wrong method", "/v1/users/1", { method: "REPORT" }, 405],
  ["a wrong body", "/v1/users", { method: "POST", headers: json, body: "{" }, 400],
  ["a wrong content type", "/v1/users", { method: "POST", headers: { "content-type": "text/csv" }, body: "a" }, 415],
  ["a body too large", "/v1/users", { method: "POST", headers: json, body: tooLarge }, 413],
  ["nothing", "/nowhere", {}, 404],
  [
    "a preflight",
    "/v1/users",
    { method: "OPTIONS", headers: { origin: "http://a", "access-control-request-method": "GET" } },
    204,
  ],
  ["a page of another origin", "/v1/users/1", { headers: { origin: "http://a" } }, 200],
  ["health", "/health", {}, 200],
  [
    "an RPC over Connect",
    "/shop.user.v1.UserService/GetUser",
    { method: "POST", headers: json, body: '{"id":"1"}' },
    200,
  ],
  [
    "an RPC that fails",
    "/shop.user.v1.UserService/GetUser",
    { method: "POST", headers: json, body: '{"id":"2"}' },
    404,
  ],
  ["an RPC in a wrong way", "/shop.user.v1.UserService/GetUser", { method: "PUT" }, 405],
];

describe.each(Object.entries(engines))("answers of the gateway on the engine %s", (_, engine) => {
  async function openShop() {
    await using own = new AsyncDisposableStack();
    const town = own.use(await openTown());
    const { getUser, ...users } = annService();
    const talkative: typeof getUser = (request, context) => {
      for (const name of ["server", "x-powered-by", "via"]) context.responseHeader.set(name, "our own");
      return getUser?.(request, context) ?? {};
    };
    own.use(await town.join("user", [[UserService, { ...users, getUser: talkative }]]));
    const url = `http://127.0.0.1:${own.use(await town.gateway({ engine })).port}`;
    await until(
      () => fetch(`${url}/v1/users/1`),
      ({ status }) => status === 200,
    );
    const all = own.move();
    return { url, [Symbol.asyncDispose]: () => all.disposeAsync() };
  }

  test.each(requests)(
    "%s: has an id, says how browsers are to take it, and not what runs here",
    async (_, path, init, status) => {
      await using shop = await openShop();
      const answer = await fetch(`${shop.url}${path}`, init);
      expect(answer.status).toBe(status);
      const { headers } = answer;
      expect(headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("cache-control")).toMatch(
        init.method === undefined && status === 200 ? /private/ : /private|no-store/,
      );
      for (const name of ["server", "x-powered-by", "via", "strict-transport-security"])
        expect(headers.has(name)).toBe(false);
    },
  );
});
