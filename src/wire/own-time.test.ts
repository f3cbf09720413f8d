import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { Watchable } from "../base/watch.ts";
import { FrameType, preface } from "../http2/frame.ts";
import { pieces, read, requestOf } from "../testing/bodies.ts";
import { type FakeClock, fakeClock } from "../testing/fake-clock.ts";
import { frame, requestBlock, word } from "../testing/http2-frames.ts";
import type { HttpHandler } from "./engine.ts";
import { createOwnEngine, ownEngine } from "./own.ts";
import { Serving } from "./own-serving.ts";

const host = "127.0.0.1";
const settings = frame(FrameType.settings, 0, 0);
const settingsAck = frame(FrameType.settings, 1, 0);

const turns = async () => {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** Lets time pass a second at a time, with time for sockets in between. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 1_000) {
    await clock.advance(1_000);
    await turns();
  }
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

test("a peer that asks for much and reads nothing is given up when nothing has moved for a while", async () => {
  const clock = fakeClock();
  const inFlight = new Watchable(0);
  const handler: HttpHandler = async () => ({ status: 200, body: pieces(Number.POSITIVE_INFINITY) });
  const servings: Serving[] = [];
  const server = createServer((socket) => {
    servings.push(new Serving(socket, { handler, scheme: "http", clock, inFlight, writeStallMs: 5_000 }));
  });
  const client = connect({ host, port: await portOf(server) });
  client.on("error", () => {});
  client.pause(); // it never reads
  const wide = frame(FrameType.settings, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]));
  const request = frame(FrameType.headers, 5, 1, requestBlock);
  client.write(Buffer.concat([preface, wide, settingsAck, frame(8, 0, 0, word(0x7fff0000 - 65_535)), request]));
  await vi.waitUntil(() => (servings[0]?.socket.writableLength ?? 0) > 0);
  await turns();
  await pass(clock, 4_000);
  expect(servings[0]?.socket.destroyed).toBe(false);
  await pass(clock, 4_000);
  expect(servings[0]?.socket.destroyed).toBe(true);
  expect(servings[0]?.problem?.message).toContain("writeStallMs");
  await turns();
  expect(inFlight.value).toBe(0);
  client.destroy();
  server.close();
});

/** A peer made of bytes, greeted; counts the PINGs it got, and answers them while it, and the connection, lives. */
async function openPeer(greeting = settings) {
  const dead = new Set<Socket>();
  const peer = { pings: 0, lives: true, dead, sockets: [] as Socket[], port: 0, server: createServer() };
  peer.server.on("connection", (socket) => {
    peer.sockets.push(socket);
    socket.on("error", () => {});
    socket.write(Buffer.concat([greeting, settingsAck]));
    socket.on("data", (bytes: Buffer) => {
      for (let at = bytes.indexOf(preface) === 0 ? preface.length : 0; at < bytes.length; ) {
        const length = bytes.readUIntBE(at, 3);
        if (bytes[at + 3] === FrameType.ping && bytes[at + 4] === 0) {
          peer.pings++;
          if (peer.lives && !dead.has(socket))
            socket.write(frame(FrameType.ping, 1, 0, bytes.subarray(at + 9, at + 17)));
        }
        at += 9 + length;
      }
    });
  });
  peer.port = await portOf(peer.server);
  return peer;
}

test("a peer that is silent while it is asked something is pinged after 60 s, and given up 10 s after it answers no more", async () => {
  const clock = fakeClock();
  const peer = await openPeer();
  await using session = createOwnEngine({ clock }).connect(`${host}:${peer.port}`);
  const call = session.request(requestOf(session)).catch(ConnectError.from);
  await turns();
  await pass(clock, 58_000);
  expect(peer.pings).toBe(0);
  await pass(clock, 5_000);
  expect(peer.pings).toBe(1);
  await pass(clock, 30_000); // it answered
  peer.lives = false;
  await pass(clock, 32_000);
  expect(peer.pings).toBe(2);
  await pass(clock, 12_000);
  expect(await call).toMatchObject({ code: Code.Unavailable, message: expect.stringContaining("no answer to a ping") });
  peer.server.close();
});

test("of several connections to a peer only the one that is dead is given up", async () => {
  const clock = fakeClock();
  const one = frame(FrameType.settings, 0, 0, Buffer.from([0, 3, 0, 0, 0, 1])); // a stream at a time
  const peer = await openPeer(one);
  await using session = createOwnEngine({ clock }).connect(`${host}:${peer.port}`);
  const ends: unknown[] = [];
  const calls = [0, 1].map((turn) =>
    session.request(requestOf(session)).catch((reason) => {
      ends[turn] = ConnectError.from(reason);
    }),
  );
  await vi.waitUntil(() => peer.sockets.length === 2);
  peer.dead.add(peer.sockets[1] as Socket);
  await pass(clock, 80_000);
  await calls[1];
  expect(ends[1]).toMatchObject({ code: Code.Unavailable, message: expect.stringContaining("no answer to a ping") });
  expect([ends[0], peer.sockets.map(({ destroyed }) => destroyed), session.state]).toEqual([
    undefined,
    [false, true],
    "ready",
  ]);
  await session[Symbol.asyncDispose]();
  await Promise.all(calls);
  peer.server.close();
});

test("a peer that has been silent is asked whether it lives before it is sent a request", async () => {
  const clock = fakeClock();
  const peer = await openPeer();
  await using session = createOwnEngine({ clock }).connect(`${host}:${peer.port}`);
  const leave = new AbortController();
  const first = session.request(requestOf(session, { signal: leave.signal })).catch(() => {});
  await turns();
  leave.abort();
  await first;
  await pass(clock, 90_000);
  expect(peer.pings).toBe(0); // nobody pings for a connection that carries nothing
  peer.lives = false;
  const second = session.request(requestOf(session)).catch(() => {});
  await turns();
  expect(peer.pings).toBe(1);
  await pass(clock, 3_000);
  expect(peer.sockets).toHaveLength(2); // the next one went to another connection
  await session[Symbol.asyncDispose]();
  await second;
  peer.server.close();
});

test("a client that died without a word is pinged after 60 s, and what it has asked for ends 10 s after", async () => {
  const clock = fakeClock();
  const inFlight = new Watchable(0);
  const handler: HttpHandler = async () => ({ status: 200, body: pieces(Number.POSITIVE_INFINITY) });
  const servings: Serving[] = [];
  const server = createServer((socket) => {
    servings.push(new Serving(socket, { handler, scheme: "http", clock, inFlight, writeStallMs: 600_000 }));
  });
  const client = connect({ host, port: await portOf(server) });
  let pings = 0;
  const isPing = (bytes: Buffer) => bytes.length === 17 && bytes[3] === FrameType.ping && bytes[4] === 0;
  client.on("error", () => {});
  client.on("data", (bytes: Buffer) => {
    if (isPing(bytes)) pings++;
  });
  client.write(Buffer.concat([preface, settings, settingsAck, frame(FrameType.headers, 5, 1, requestBlock)]));
  await vi.waitUntil(() => inFlight.value === 1);
  await pass(clock, 58_000);
  expect(pings).toBe(0);
  await pass(clock, 8_000);
  await vi.waitUntil(() => pings === 1);
  expect(inFlight.value).toBe(1);
  await pass(clock, 8_000);
  expect([servings[0]?.problem?.message, inFlight.value]).toEqual(["no answer to a ping in 10000 ms", 0]);
  server.close();
});

test("faults and failures of peers reach the log, and name their limit", async () => {
  const told: Readonly<Record<string, unknown>>[] = [];
  const log = { warn: (message: string, fields = {}) => void told.push({ message, ...fields }) } as never;
  const handler: HttpHandler = async () => ({ status: 200 });
  await using listener = await ownEngine.listen({ host, port: 0, handler, log });
  const client = connect({ host, port: listener.port, noDelay: true });
  client.on("error", () => {}).resume();
  const ping = frame(FrameType.ping, 0, 0, Buffer.alloc(8));
  client.write(Buffer.concat([preface, settings, settingsAck, ...Array.from({ length: 5_000 }, () => ping)]));
  await vi.waitFor(() => expect(told).toContainEqual(expect.objectContaining({ limit: "pings", peer: host })));
  client.destroy();
});

test("a connection that begins while the port is leaving is told so, and gets nothing processed", async () => {
  const gate = Promise.withResolvers<void>();
  const asked: string[] = [];
  const handler: HttpHandler = async ({ url }) => {
    asked.push(new URL(url).pathname);
    await gate.promise;
    return { status: 200 };
  };
  await using listener = await ownEngine.listen({ host, port: 0, handler });
  const slow = connect({ host, port: listener.port, noDelay: true }); // accepted, and silent so far
  let answer = Buffer.alloc(0);
  slow
    .on("error", () => {})
    .on("data", (bytes) => {
      answer = Buffer.concat([answer, bytes]);
    });
  await using session = ownEngine.connect(`${host}:${listener.port}`);
  const first = session.request(requestOf(session, { path: "/first" }));
  await vi.waitFor(() => expect(asked).toEqual(["/first"]));
  const drained = listener.drain(5_000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  slow.write(Buffer.concat([preface, settings, frame(FrameType.headers, 5, 1, requestBlock)]));
  await vi.waitFor(() =>
    expect(answer.includes(Buffer.from([FrameType.goAway, 0, 0, 0, 0, 0, 0, 0, 0, 0]))).toBe(true),
  );
  gate.resolve();
  expect((await first).status).toBe(200);
  slow.destroy();
  expect(await drained).toBe(0);
  expect(asked).toEqual(["/first"]);
});

test("a peer that asks and asks and reads no answer is stopped, however small its requests are", async () => {
  const told: unknown[] = [];
  const log = { warn: (_: string, fields: { readonly limit?: string }) => void told.push(fields.limit) } as never;
  const header = new Headers({ "x-much": "~".repeat(30_000) });
  await using listener = await ownEngine.listen({ host, port: 0, handler: async () => ({ status: 200, header }), log });
  const client = connect({ host, port: listener.port, noDelay: true });
  client.on("error", () => {}).pause();
  client.write(Buffer.concat([preface, settings, settingsAck]));
  for (let id = 1; id < 4_000 && !client.destroyed && told.length === 0; id += 2) {
    client.write(frame(FrameType.headers, 5, id, requestBlock));
    if (id % 100 === 1) await turns();
  }
  await vi.waitFor(() => expect(told).toContain("outputBytes"));
  client.destroy();
});

test("headers that a client does not take cost their answer only", async () => {
  const handler: HttpHandler = async ({ url }) => {
    const header = new Headers({ "x-much": "x".repeat(url.endsWith("/much") ? 200_000 : 1) });
    return { status: 200, header };
  };
  await using listener = await ownEngine.listen({ host, port: 0, handler });
  await using session = ownEngine.connect(`${host}:${listener.port}`);
  const much = session.request(requestOf(session, { path: "/much" }));
  await expect(much).rejects.toMatchObject({ code: Code.Internal });
  expect((await session.request(requestOf(session))).status).toBe(200);
  expect(listener.inFlight).toBe(0);
});

test("whoever waits for 100 before the body gets it", async () => {
  const handler: HttpHandler = async ({ body }) => {
    const { bytes } = await read(body as AsyncIterable<Uint8Array>);
    return { status: 200, header: new Headers({ "x-bytes": String(bytes) }) };
  };
  await using listener = await ownEngine.listen({ host, port: 0, handler });
  const { connect: connectHttp2 } = await import("node:http2");
  const client = connectHttp2(`http://${host}:${listener.port}`);
  const stream = client.request({ ":method": "POST", ":path": "/", expect: "100-continue" });
  await new Promise((resolve) => stream.once("continue", resolve));
  stream.end("four");
  const headers = await new Promise<Record<string, unknown>>((resolve) => stream.once("response", resolve));
  expect(headers).toMatchObject({ ":status": 200, "x-bytes": "4" });
  client.close();
});
