import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { errorReason } from "../../call/errors.ts";
import { annService, openShop, openTown, transportsTo, until } from "../../test/suites/gateway-parts.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

test("who calls, and as part of what, is passed on; what comes back with the answer is passed back", async () => {
  const seen: Headers[] = [];
  await using shop = await openShop(seen);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const sent = {
    authorization: "Bearer me",
    traceparent,
    "x-tenant": "t1",
    "x-request-id": "my-id",
    "x-raw-bin": "AQI",
  };
  for (const [protocol, transport] of transportsTo(shop.gateway.port)) {
    const back: Record<string, string | null> = {};
    await createClient(UserService, transport).getUser(
      { id: 1n },
      {
        headers: sent,
        onHeader: (header) => Object.assign(back, { from: header.get("x-from"), id: header.get("x-request-id") }),
        onTrailer: (trailer) => Object.assign(back, { after: trailer.get("x-after") }),
      },
    );
    expect([protocol, back]).toEqual([protocol, { from: "upstream", id: "my-id", after: "all" }]);
  }
  for (const header of seen) expect(Object.fromEntries(header)).toMatchObject(sent);
  const rest = await fetch(`${shop.url}/v1/users/1`, { headers: { ...sent, cookie: "a=b" } });
  expect([rest.headers.get("x-from"), rest.headers.get("x-request-id")]).toEqual(["upstream", "my-id"]);
  expect(seen.at(-1)?.get("authorization")).toBe("Bearer me");
  expect(seen).toHaveLength(5);
  expect(seen.some((header) => header.has("cookie") || header.has("x-grpc-web"))).toBe(false);
});

test("an error arrives as it was sent, with its details", async () => {
  await using shop = await openShop();
  for (const [protocol, transport] of transportsTo(shop.gateway.port)) {
    const error = await createClient(UserService, transport).getUser({ id: 7n }).catch(ConnectError.from);
    expect(error).toBeInstanceOf(ConnectError);
    const { code, rawMessage } = error as ConnectError;
    expect([protocol, code, rawMessage]).toEqual([protocol, Code.NotFound, "user 7 does not exist"]);
    expect(errorReason(error as ConnectError)).toMatchObject({ reason: "USER_NOT_FOUND", domain: "shop.user.v1" });
  }
  const rest = await fetch(`${shop.url}/api/users/7`);
  expect(rest.status).toBe(404);
  expect(await rest.json()).toMatchObject({ code: Code.NotFound, details: [{ reason: "USER_NOT_FOUND" }] });
});

test("what is wrong with a request is said by status, header and body", async () => {
  await using shop = await openShop();
  const ask = async (method: string, path: string, header: Record<string, string> = {}, body?: string) => {
    const answer = await fetch(`${shop.url}${path}`, { method, headers: header, ...(body && { body }) });
    const text = await answer.text();
    const json = text.startsWith("{") ? JSON.parse(text) : undefined;
    return { status: answer.status, allow: answer.headers.get("allow"), text, json };
  };
  const json = { "content-type": "application/json" };
  const rpc = "/shop.user.v1.UserService/CreateUser";
  expect(await ask("GET", "/nowhere")).toMatchObject({ status: 404, json: { code: Code.NotFound } });
  expect(await ask("POST", "/no.such.v1.Service/Get", json, "{}")).toMatchObject({ status: 404 });
  expect(await ask("PUT", "/v1/users", json, "{}")).toMatchObject({
    status: 405,
    allow: expect.stringMatching(/POST/),
  });
  expect(await ask("GET", rpc)).toMatchObject({
    status: 405,
    allow: "POST",
    text: "GET is not allowed here; allowed: POST\n",
  });
  expect(await ask("POST", rpc, { "content-type": "text/plain" }, "x")).toMatchObject({
    status: 415,
    text: "nothing here reads text/plain\n",
  });
  expect(await ask("POST", "/v1/users", { "content-type": "text/xml" }, "<a/>")).toMatchObject({ status: 415 });
  const invalid = await ask("POST", "/v1/users", json, '{"name":"Bob","email":"not one"}');
  expect(invalid).toMatchObject({ status: 400, json: { details: [{ fieldViolations: [{ field: "email" }] }] } });
});

test("a call is over when its caller's time is, or its caller has left, and the service upstream learns of it", async () => {
  await using town = await openTown();
  const aborted: unknown[] = [];
  const hanging = {
    getUser: ({ id }: { id: bigint }, { signal }: { signal: AbortSignal }) =>
      new Promise<object>((resolve, reject) => {
        if (id === 2n) resolve({ user: { id } });
        signal.addEventListener("abort", () => {
          aborted.push(signal.reason);
          reject(signal.reason);
        });
      }),
  };
  await using _users = await town.join("user", [[UserService, { ...annService(), ...hanging }]]);
  await using gateway = await town.gateway();
  await until(
    () => fetch(`http://127.0.0.1:${gateway.port}/v1/users`),
    ({ status }) => status === 200,
  );
  for (const [protocol, transport] of transportsTo(gateway.port)) {
    aborted.length = 0;
    const users = createClient(UserService, transport);
    const error = await users.getUser({ id: 1n }, { timeoutMs: 60 }).catch(ConnectError.from);
    expect([protocol, (error as ConnectError).code]).toEqual([protocol, Code.DeadlineExceeded]);
    await until(
      () => aborted.length,
      (count) => count > 0,
    );
  }
  aborted.length = 0;
  const leaving = new AbortController();
  const asked = fetch(`http://127.0.0.1:${gateway.port}/v1/users/1`, { signal: leaving.signal }).catch(() => "left");
  await new Promise((resolve) => setTimeout(resolve, 50));
  leaving.abort();
  expect(await asked).toBe("left");
  await until(
    () => aborted.length,
    (count) => count > 0,
  );
  expect((await fetch(`http://127.0.0.1:${gateway.port}/v1/users/2`)).status).toBe(200); // ends the row of failures
  const late = await fetch(`http://127.0.0.1:${gateway.port}/v1/users/1`);
  expect(late.status).toBe(504); // the contract gives it a second
});
