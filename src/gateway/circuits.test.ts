import { expect, test, vi } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { annService, openTown, until } from "../test/suites/gateway-parts.ts";
import { ownEngine } from "../wire/own.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** More than it takes to open a circuit, if they were a service's failures. */
const many = 20;

test("requests that are no messages, which pass unread, are their callers' errors and keep nobody else from a method", async () => {
  await using town = await openTown();
  const engine = ownEngine; // on node:http2 messages are decoded by Connect, which calls this its own failure: INTERNAL
  await using _users = await town.join("user", [[UserService, annService()]], { engine });
  await using gateway = await town.gateway({ engine });
  const url = `http://127.0.0.1:${gateway.port}`;
  const headers = { "content-type": "application/proto" };
  await until(
    () => fetch(`${url}/v1/users`),
    ({ status }) => status === 200,
  );
  for (let i = 0; i < many; i++) {
    const body = new Uint8Array([0xff, 0xff, 0xff]);
    const answer = await fetch(`${url}/shop.user.v1.UserService/ListUsers`, { method: "POST", headers, body });
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: "invalid_argument" }]);
  }
  expect((await fetch(`${url}/v1/users`)).status).toBe(200);
});

test("callers who give a method next to no time, again and again, close it to nobody", async () => {
  await using town = await openTown();
  const listUsers = () => new Promise<{ users: [] }>((resolve) => setTimeout(() => resolve({ users: [] }), 100));
  await using _users = await town.join("user", [[UserService, { listUsers }]]);
  await using gateway = await town.gateway();
  const url = `http://127.0.0.1:${gateway.port}`;
  const list = () => fetch(`${url}/v1/users`);
  await until(list, ({ status }) => status === 200);
  const headers = { "content-type": "application/json", "connect-timeout-ms": "9" };
  for (let i = 0; i < many; i++) {
    const init = { method: "POST", headers, body: "{}" };
    expect((await fetch(`${url}/shop.user.v1.UserService/ListUsers`, init)).status).toBe(504);
  }
  expect((await list()).status).toBe(200);
});
