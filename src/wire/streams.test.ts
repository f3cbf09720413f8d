import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { progressOf } from "../call/progress.ts";
import { read, requestOf } from "../testing/bodies.ts";
import { pairs } from "../testing/engine-pair.ts";
import type { HttpHandler, Session } from "./engine.ts";
import { engines } from "./engines.ts";

const host = "127.0.0.1";

/** Sends one request; answers its status, or the error with its progress. */
async function ask(session: Session, options: Parameters<typeof requestOf>[1] = {}) {
  try {
    const { status, body } = await session.request(requestOf(session, options));
    await read(body);
    return status;
  } catch (reason) {
    const error = ConnectError.from(reason);
    return { code: error.code, message: error.rawMessage, progress: progressOf(error) };
  }
}

/** A peer of Node's that takes so many streams at once, and holds them until told. */
async function openNarrow(maxConcurrentStreams: number) {
  const server: Http2Server = createHttp2Server({ settings: { maxConcurrentStreams } });
  const held: (() => void)[] = [];
  const paths: string[] = [];
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    paths.push(String(headers[":path"]));
    held.push(() => {
      if (stream.destroyed) return;
      stream.respond({ ":status": 200 });
      stream.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    paths,
    sessions,
    letGo: () => held.shift()?.(),
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe.each(Object.entries(engines))("a session of %s", (_, engine) => {
  test("requests above what the peer takes at once wait, in their order", async () => {
    await using peer = await openNarrow(2);
    await using session = engine.connect(peer.address, { maxConnections: 1 });
    const first = ask(session, { path: "/0" });
    await vi.waitFor(() => expect(peer.paths).toHaveLength(1));
    const others = [1, 2, 3, 4, 5].map((turn) => ask(session, { path: `/${turn}` }));
    for (const turn of [1, 2, 3, 4, 5]) {
      await vi.waitFor(() => expect(peer.paths).toHaveLength(Math.min(turn + 1, 6)));
      peer.letGo();
    }
    peer.letGo();
    expect(await Promise.all([first, ...others])).toEqual([200, 200, 200, 200, 200, 200]);
    expect(peer.paths).toEqual(["/0", "/1", "/2", "/3", "/4", "/5"]);
    expect(peer.sessions).toHaveLength(1);
  });

  test("a request that waits for room ends with its signal, and is never sent", async () => {
    await using peer = await openNarrow(1);
    await using session = engine.connect(peer.address, { maxConnections: 1 });
    const first = ask(session);
    await vi.waitFor(() => expect(peer.paths).toHaveLength(1));
    const leave = new AbortController();
    const waiting = ask(session, { path: "/late", signal: leave.signal });
    await new Promise((resolve) => setImmediate(resolve));
    leave.abort(new ConnectError("late", Code.DeadlineExceeded));
    expect(await waiting).toMatchObject({ code: Code.DeadlineExceeded });
    peer.letGo();
    expect(await first).toBe(200);
    const next = ask(session, { path: "/next" });
    await vi.waitFor(() => expect(peer.paths).toHaveLength(2));
    expect(peer.paths).not.toContain("/late");
    peer.letGo();
    expect(await next).toBe(200);
  });

  test("while a peer's connection leaves, what it carries ends there and the next request goes over another", async () => {
    await using peer = await openNarrow(10);
    await using session = engine.connect(peer.address);
    const first = ask(session);
    await vi.waitFor(() => expect(peer.paths).toHaveLength(1));
    peer.sessions[0]?.goaway(0, 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = ask(session);
    await vi.waitFor(() => expect(peer.paths).toHaveLength(2));
    expect(peer.sessions).toHaveLength(2);
    peer.letGo();
    peer.letGo();
    expect(await Promise.all([first, second])).toEqual([200, 200]);
  });

  test("over TLS too, a peer that accepts and never speaks is given up in time", async () => {
    const mute = createTcpServer((socket) => void socket.on("error", () => {}).resume());
    await new Promise<void>((resolve) => mute.listen(0, host, resolve));
    const address = `${host}:${(mute.address() as AddressInfo).port}`;
    await using session = engine.connect(address, { connectTimeoutMs: 20, tls: {} });
    const begunAt = performance.now();
    expect(await ask(session)).toMatchObject({ code: Code.Unavailable, progress: "not-sent" });
    expect(performance.now() - begunAt).toBeLessThan(900);
    mute.close();
  });

  test("answers before the answer are passed over", async () => {
    const server = createHttp2Server((_, response) => {
      response.writeContinue();
      response.stream.additionalHeaders({ ":status": 103, link: "</a>" });
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    await using session = engine.connect(`${host}:${(server.address() as AddressInfo).port}`);
    expect(await ask(session)).toBe(204);
    await session[Symbol.asyncDispose]();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe.each(pairs)("streams from %s to %s", (_client, _server, { client, server }) => {
  test("headers and trailers arrive, each with all its values", async () => {
    const handler: HttpHandler = async ({ header }) => ({
      status: 200,
      header: new Headers([["x-echo", header.get("x-many") ?? ""]]),
      body: (async function* () {
        yield new Uint8Array(1);
      })(),
      trailer: new Headers([
        ["x-end", "a"],
        ["x-end", "b"],
      ]),
    });
    await using listener = await server.listen({ host, port: 0, handler });
    await using session = client.connect(`${host}:${listener.port}`);
    const request = requestOf(session);
    request.header.append("x-many", "1");
    request.header.append("x-many", "2");
    const { header, body, trailer } = await session.request(request);
    expect((await read(body)).bytes).toBe(1);
    expect(header.get("x-echo")).toBe("1, 2");
    expect(trailer.get("x-end")).toBe("a, b");
  });

  test("a drain lets calls finish that are in the middle of their bodies", async () => {
    const gate = Promise.withResolvers<void>();
    const handler: HttpHandler = async () => ({
      status: 200,
      body: (async function* () {
        yield new Uint8Array(1);
        await gate.promise;
        yield new Uint8Array(3 * 1024 * 1024);
      })(),
    });
    await using listener = await server.listen({ host, port: 0, handler });
    await using session = client.connect(`${host}:${listener.port}`);
    const { body } = await session.request(requestOf(session));
    const reading = read(body);
    const drained = listener.drain(5_000);
    setTimeout(() => gate.resolve(), 300); // by now the server has said twice that it leaves
    expect((await reading).bytes).toBe(3 * 1024 * 1024 + 1);
    expect(await drained).toBe(0);
  });

  test("calls that a drain cuts off were processed, and their handlers are told", async () => {
    const told = Promise.withResolvers<void>();
    const handler: HttpHandler = ({ signal }) => {
      signal.addEventListener("abort", () => told.resolve());
      return new Promise(() => {});
    };
    await using listener = await server.listen({ host, port: 0, handler });
    await using session = client.connect(`${host}:${listener.port}`);
    const call = ask(session);
    await vi.waitFor(() => expect(listener.inFlight).toBe(1));
    expect(await listener.drain(1)).toBe(1);
    expect(await call).toMatchObject({ code: Code.Unavailable, progress: "processed" });
    await told.promise;
  });

  test("headers that the peer does not take are refused, and cost nothing else", async () => {
    await using listener = await server.listen({ host, port: 0, handler: async () => ({ status: 200 }) });
    await using session = client.connect(`${host}:${listener.port}`);
    expect(await ask(session)).toBe(200);
    const request = requestOf(session);
    request.header.set("x-much", "x".repeat(200_000));
    await expect(session.request(request)).rejects.toThrow();
    expect(await ask(session)).toBe(200);
  });
});
