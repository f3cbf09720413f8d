import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test, vi } from "vitest";
import type { WebSocketAnswer, WebSocketPeer } from "../call/web-socket.ts";
import { isWebSocketRequest } from "../call/web-socket.ts";
import { places } from "../test/integration/peers/places.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { exchange } from "../testing/raw-client.ts";
import { refusalOf, SocketClient } from "../testing/socket-client.ts";
import { standingStill } from "../testing/standing-still.ts";
import type { HttpHandler, ListenOptions } from "./engine.ts";

vi.setConfig({ testTimeout: 20_000 }); // real sockets, on a machine that may be busy

/** Opens WebSockets, with a header and the first subprotocol offered; other requests are told their body's length. */
function opening(serve: (peer: WebSocketPeer) => Promise<void>): HttpHandler {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (isWebSocketRequest(request) && pathname === "/socket") {
      const [protocol] = request.header.get("sec-websocket-protocol")?.split(",") ?? [];
      const header = new Headers({ "x-request-id": "r-1" });
      return { status: 101, header, webSocket: { protocol, serve } } satisfies WebSocketAnswer;
    }
    let bytes = 0;
    for await (const piece of request.body as AsyncIterable<Uint8Array>) bytes += piece.length;
    return { status: pathname === "/socket" ? 200 : 404, header: new Headers({ "x-bytes": String(bytes) }) };
  };
}

/** Says back whatever it is told. */
const echo = async (peer: WebSocketPeer): Promise<void> => {
  while (!peer.signal.aborted) await peer.send(await peer.read().catch(() => "")).catch(() => {});
};

const forever = (peer: WebSocketPeer) =>
  new Promise<void>((resolve) => peer.signal.addEventListener("abort", () => resolve()));

describe.each(places)("WebSockets of the engine %s", (_, { engine, tls }) => {
  async function open(serve: (peer: WebSocketPeer) => Promise<void>, options: Partial<ListenOptions> = {}) {
    const to = { host: "127.0.0.1", port: 0, handler: opening(serve), ...(tls && { tls }), ...options };
    const listener = await engine.listen(to);
    const url = `${tls ? "wss" : "ws"}://127.0.0.1:${listener.port}/socket`;
    return { listener, url, [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose]() };
  }

  test("carry messages both ways, and the answer's own headers", async () => {
    await using port = await open(echo);
    await using client = await SocketClient.open(port.url, ["a", "b"]);
    client.say({ a: "ü" });
    client.say({ b: "x".repeat(1_000_000) });
    expect(await client.hear()).toEqual({ a: "ü" });
    expect(await client.hear()).toEqual({ b: "x".repeat(1_000_000) });
    expect([client.ws.protocol, client.ws.extensions]).toEqual(["a", ""]); // no compression, however much it is offered
    expect(client.headers["x-request-id"]).toBe("r-1");
    expect(port.listener.inFlight).toBe(1);
  });

  test("are refused by an answer of HTTP", async () => {
    await using port = await open(echo);
    expect(await refusalOf(port.url.replace("/socket", "/nothing"))).toMatchObject({
      status: 404,
      headers: { "x-bytes": "0", connection: "close" },
    });
    await soon(() => expect(port.listener.inFlight).toBe(0));
  });

  test("end at a message that is too long, and the others go on", async () => {
    await using port = await open(echo);
    await using greedy = await SocketClient.open(port.url);
    await using modest = await SocketClient.open(port.url);
    greedy.ws.send("x".repeat(4 * 1024 * 1024 + 1));
    expect(await greedy.closed).toMatchObject({ code: 1009 });
    modest.say({});
    expect(await modest.hear()).toEqual({});
  });

  test("hold back a peer whose messages nobody reads", async () => {
    const go = Promise.withResolvers<void>();
    let read = 0;
    await using port = await open(async (peer) => {
      await go.promise;
      while (!peer.signal.aborted) read += ((await peer.read().catch(() => "")) as string).length;
    });
    await using client = await SocketClient.open(port.url);
    const all = 32 * 1024 * 1024;
    for (let sent = 0; sent < all; sent += 1024 * 1024) client.ws.send("x".repeat(1024 * 1024));
    await standingStill(() => client.ws.bufferedAmount);
    expect(client.ws.bufferedAmount).toBeGreaterThan(all / 4);
    go.resolve();
    await soon(() => expect(read).toBe(all));
  });

  test("hold back who sends to a peer that does not read", async () => {
    let sent = 0;
    await using port = await open(async (peer) => {
      for (; sent < 32 && !peer.signal.aborted; sent++) await peer.send(JSON.stringify("x".repeat(1024 * 1024)));
    });
    await using client = await SocketClient.open(port.url);
    client.ws.pause();
    await standingStill(() => sent);
    expect(sent).toBeLessThan(24);
    client.ws.resume();
    for (let heard = 0; heard < 32; heard++) expect(await client.hear()).toHaveLength(1024 * 1024);
  });

  test("tell who serves them that the peer has gone, politely or not", async () => {
    const gone: unknown[] = [];
    await using port = await open(async (peer) => {
      await peer.read().catch((reason: Error) => gone.push(reason.message));
    });
    for (const leave of ["close", "terminate"] as const) {
      await using client = await SocketClient.open(port.url);
      client.ws[leave]();
      await client.closed;
    }
    await soon(() => expect(gone).toHaveLength(2));
    expect(gone[0]).toMatch(/caller left/);
    await soon(() => expect(port.listener.inFlight).toBe(0));
  });

  test("are asked every 30 s whether they live, and cut off when they do not answer", async () => {
    const clock = fakeClock();
    await using port = await open(forever, { clock });
    await using lively = await SocketClient.open(port.url);
    await using silent = await SocketClient.open(port.url, [], { autoPong: false });
    for (let round = 0; round < 3; round++) {
      const asked = once(lively.ws, "ping");
      await soon(() => expect(clock.pending).toBeGreaterThan(0));
      await clock.advance(30_000);
      await asked;
      await soon(() => expect(silent.ws.readyState === silent.ws.CLOSED).toBe(round > 0));
      await roundTrip(lively);
    }
    expect(await silent.closed).toMatchObject({ code: 1006 });
    expect(lively.ws.readyState).toBe(lively.ws.OPEN);
  });

  test("end with 1001 when the port is drained, at the end of its grace", async () => {
    const port = await open(forever);
    await using client = await SocketClient.open(port.url);
    const drained = port.listener.drain(50);
    expect(await client.closed).toEqual({ code: 1001, reason: "the server is going away" });
    expect(await drained).toBe(1);
  });

  test("that fail while the port is drained say that it is for that", async () => {
    const fail = Promise.withResolvers<void>();
    const port = await open(async (peer) => {
      await fail.promise;
      peer.close(4014, "draining");
    });
    await using client = await SocketClient.open(port.url);
    const drained = port.listener.drain(10_000);
    fail.resolve();
    expect(await client.closed).toEqual({ code: 1001, reason: "draining" });
    expect(await drained).toBe(0);
  });

  test("are no way out of HTTP for anything else", async () => {
    await using port = await open(echo);
    if (tls !== undefined) return;
    for (const upgrade of ["h2c", "websocket"]) {
      const head = `POST /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: ${upgrade}`;
      const answer = await exchange(port.listener.port, `${head}\r\nContent-Length: 5\r\n\r\nhello`);
      expect(answer).toMatch(/^HTTP\/1.1 200 /);
      expect(answer).toContain("x-bytes: 5");
    }
  });

  test("that are refused hold no connection, though their peer does not close it", async () => {
    await using port = await open(echo);
    if (tls !== undefined) return;
    const socket = connect({ port: port.listener.port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {}); // cut off, which is what it is to be
    socket.resume().write("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await once(socket, "end");
    await soon(() => expect(port.listener.inFlight).toBe(0));
    socket.destroy();
  });

  test("are refused when their handshake is none", async () => {
    await using port = await open(echo);
    if (tls !== undefined) return;
    const ask = "GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    expect(await exchange(port.listener.port, ask)).toMatch(/^HTTP\/1.1 4\d\d /);
    await soon(() => expect(port.listener.inFlight).toBe(0));
  });
});

/** Waits until the look does not throw, for as long as a busy machine takes. */
function soon(look: () => void): Promise<void> {
  return vi.waitFor(look, 10_000);
}

async function roundTrip({ ws }: SocketClient): Promise<void> {
  const answered = once(ws, "pong");
  ws.ping();
  await answered;
}
