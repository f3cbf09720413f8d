import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { Code } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { annService, openTown, until } from "../../test/suites/gateway-parts.ts";
import { engines } from "../../wire/engines.ts";
import type { GatewayOptions } from "../options.ts";

vi.setConfig({ testTimeout: 30_000 }); // real servers, on a machine that may be busy

const mib = 1024 * 1024;
const half = Buffer.alloc(mib / 2, 0x20);

/** Begins to post 1 MiB of spaces, sends half of it, and waits. The text is what it is answered. */
function slowPost(port: number): { readonly socket: Socket; text: string } {
  const socket = connect({ host: "127.0.0.1", port });
  const poster = { socket, text: "" };
  socket
    .on("error", () => {})
    .on("data", (bytes) => {
      poster.text += bytes.toString("latin1");
    });
  socket.write(
    `POST /v1/users HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${mib}\r\n\r\n`,
  );
  socket.write(half);
  return poster;
}

/** Begins gRPC calls with half of 1 MiB each, and waits. The statuses are what they are answered. */
function beginCalls(port: number, count: number) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const statuses: string[] = [];
  const told = (fields: Record<string, unknown>) => {
    if (fields["grpc-status"] !== undefined) statuses.push(String(fields["grpc-status"]));
  };
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(mib, 1);
  for (let i = 0; i < count; i++) {
    const headers = { "content-type": "application/grpc", te: "trailers", "grpc-timeout": "60S" };
    const stream = session.request({ ":method": "POST", ":path": "/shop.user.v1.UserService/GetUser", ...headers });
    stream
      .on("response", told)
      .on("trailers", told)
      .on("error", () => {});
    stream.write(Buffer.concat([prefix, half.subarray(prefix.length)]));
  }
  return { session, statuses };
}

describe.each(Object.entries(engines))("the gateway on the engine %s", (_, engine) => {
  async function openShop(bodies: GatewayOptions["bodies"] = {}) {
    await using own = new AsyncDisposableStack();
    const town = own.use(await openTown());
    own.use(await town.join("user", [[UserService, annService()]]));
    const { port } = own.use(await town.gateway({ engine, bodies }));
    const url = `http://127.0.0.1:${port}/v1/users`;
    const get = async () => (await fetch(`${url}/1`)).status;
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ name: "Bob", email: "bob@example.org" });
    const post = async () => (await fetch(url, { method: "POST", headers, body })).status;
    await until(get, (status) => status === 200);
    const all = own.move();
    return { port, get, post, [Symbol.asyncDispose]: () => all.disposeAsync() };
  }

  test("holds no more of many slow posts than it may, answers the others meanwhile, and has room again once they go", async () => {
    await using shop = await openShop({ maxBytes: 8 * mib });
    const posters = Array.from({ length: 40 }, () => slowPost(shop.port));
    const refused = () => posters.filter(({ text }) => text.startsWith("HTTP/1.1 429 ")).length;
    await until(refused, (count) => count === 24); // 16 halves are 8 MiB
    expect(posters.find(({ text }) => text !== "")?.text).toMatch(/\r\nretry-after: 1\r\n/i);
    expect(await shop.get()).toBe(200);
    expect(await shop.post()).toBe(429);
    expect(refused()).toBe(24);
    for (const { socket } of posters) socket.destroy();
    expect(await until(shop.post, (status) => status !== 429)).toBe(201);
  });

  test("reads no more posts at once than it may, over HTTP/2 as well", async () => {
    await using shop = await openShop({ maxAtOnce: 5 });
    const session = connectHttp2(`http://127.0.0.1:${shop.port}`);
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const stream = session.request({ ":method": "POST", ":path": "/v1/users", "content-type": "application/json" });
      stream.on("response", (headers) => statuses.push(Number(headers[":status"]))).on("error", () => {});
      stream.write("{");
    }
    await until(
      () => statuses.length,
      (count) => count === 7,
    );
    expect(statuses).toEqual(Array(7).fill(429));
    expect([await shop.get(), await shop.post()]).toEqual([200, 429]);
    session.destroy();
    expect(await until(shop.post, (status) => status !== 429)).toBe(201);
  });

  test("holds no more of gRPC calls than it may whose requests do not end, and has room again once they go", async () => {
    await using shop = await openShop({ maxBytes: 8 * mib });
    for (let round = 0; round < 3; round++) {
      const { session, statuses } = beginCalls(shop.port, 20);
      await until(
        () => statuses.length,
        (count) => count >= 4, // 16 halves are 8 MiB
      );
      expect(new Set(statuses)).toEqual(new Set([String(Code.ResourceExhausted)]));
      expect([await shop.get(), await shop.post()]).toEqual([200, 429]);
      expect(statuses).toHaveLength(4);
      session.destroy();
      expect(await until(shop.post, (status) => status !== 429)).toBe(201);
    }
  });

  test("cuts off who takes too long to send a body", async () => {
    await using shop = await openShop({ timeoutMs: 200 });
    const poster = slowPost(shop.port);
    const answered = await until(
      () => poster.text,
      (text) => text !== "",
    );
    expect(answered).toMatch(/^HTTP\/1\.1 408 /);
    expect(answered).toContain("the body of the request had not arrived within 0.2 s");
    poster.socket.destroy();
    expect(await shop.post()).toBe(201);
  });
});
