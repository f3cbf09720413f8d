import { expect, test, vi } from "vitest";
import { openShop } from "../test/suites/gateway-parts.ts";

vi.setConfig({ testTimeout: 20_000 }); // real servers, on a machine that may be busy

/** More than it takes to open a circuit, if they were a service's failures. */
const many = 20;

test("requests that are no messages, which pass unread, are their callers' errors and keep nobody else from a method", async () => {
  await using shop = await openShop();
  const headers = { "content-type": "application/proto" };
  for (let i = 0; i < many; i++) {
    const body = new Uint8Array([0xff, 0xff, 0xff]);
    const answer = await fetch(`${shop.url}/shop.user.v1.UserService/ListUsers`, { method: "POST", headers, body });
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: "invalid_argument" }]);
  }
  expect((await fetch(`${shop.url}/v1/users`)).status).toBe(200);
});
