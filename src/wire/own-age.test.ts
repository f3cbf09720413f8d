import { connect } from "node:net";
import { ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { progressOf } from "../call/progress.ts";
import { FrameType, preface } from "../http2/frame.ts";
import { read, requestOf } from "../testing/bodies.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { frame, requestBlock } from "../testing/http2-frames.ts";
import type { ListenOptions, Session, SessionOptions } from "./engine.ts";
import { engines } from "./engines.ts";
import type { WireSocket } from "./network.ts";
import { createOwnEngine } from "./own.ts";
import { socketNetwork } from "./socket-network.ts";

const host = "127.0.0.1";
const soon = { timeout: 5_000 };
const forever = { maxAgeMs: Number.POSITIVE_INFINITY, idleMs: Number.POSITIVE_INFINITY };

async function ask(session: Session, path: string) {
  try {
    const { status, body } = await session.request(requestOf(session, { path }));
    await read(body);
    return status;
  } catch (reason) {
    return progressOf(ConnectError.from(reason));
  }
}

/** A server that holds requests under /slow until told, on a clock of its own, and a session to it on the same. */
async function openAging(serving: Partial<ListenOptions>, options: SessionOptions = forever) {
  const clock = fakeClock();
  const sockets: WireSocket[] = [];
  const real = socketNetwork(clock);
  const connect: typeof real.connect = (address, tls) => {
    const socket = real.connect(address, tls);
    sockets.push(socket);
    return socket;
  };
  const engine = createOwnEngine({ clock, random: () => 0.5, network: { ...real, connect } });
  const gate = Promise.withResolvers<void>();
  const asked: string[] = [];
  const handler: ListenOptions["handler"] = async ({ url }) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    if (pathname === "/slow") await gate.promise;
    return { status: 200 };
  };
  const listener = await engine.listen({ host, port: 0, handler, ...serving });
  const session = engine.connect(`${host}:${listener.port}`, options);
  return {
    ...{ clock, sockets, gate, asked, listener, session },
    /** Lets time pass a second at a time, with time for sockets in between. */
    async pass(ms: number): Promise<void> {
      for (let at = 0; at < ms; at += 1_000) {
        await clock.advance(1_000);
        for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      const closed = listener[Symbol.asyncDispose]();
      await vi.waitFor(() => clock.advance(1_000), soon);
      await closed;
    },
  };
}

test("a server asks an old connection's client to go elsewhere; what it carries by then is answered", async () => {
  await using aging = await openAging({ maxAgeMs: 20_000 });
  const { session, sockets, asked, gate, pass } = aging;
  const slow = ask(session, "/slow");
  await vi.waitFor(() => expect(asked).toEqual(["/slow"]), soon);
  await pass(19_000);
  expect(await ask(session, "/before")).toBe(200);
  expect(sockets).toHaveLength(1);
  await pass(3_000);
  expect(await ask(session, "/after")).toBe(200);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false]);
  gate.resolve();
  expect(await slow).toBe(200);
  await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true), soon);
});

test("what an old connection still carries after its grace is cut off, and may have been processed", async () => {
  await using aging = await openAging({ maxAgeMs: 20_000, ageGraceMs: 5_000 });
  const { session, asked, pass } = aging;
  const slow = ask(session, "/slow");
  await vi.waitFor(() => expect(asked).toEqual(["/slow"]), soon);
  let ended: unknown;
  void slow.then((end) => {
    ended = end;
  });
  await pass(23_000);
  expect(ended).toBeUndefined();
  await pass(4_000);
  expect(await slow).toBe("processed");
});

test("the age is ten minutes where nobody says otherwise, and a connection that carries nothing just closes", async () => {
  await using aging = await openAging({ idleMs: Number.POSITIVE_INFINITY });
  const { session, sockets, pass } = aging;
  expect(await ask(session, "/a")).toBe(200);
  await pass(595_000);
  expect(sockets[0]?.destroyed).toBe(false);
  await pass(10_000);
  await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true), soon);
  expect(session.state).toBe("idle");
});

test("a server closes a connection that carries nothing for five minutes; clients go before it comes to that", async () => {
  await using aging = await openAging({});
  const { session, sockets, pass } = aging;
  expect(await ask(session, "/a")).toBe(200);
  await pass(295_000);
  expect(sockets[0]?.destroyed).toBe(false);
  await pass(10_000);
  await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true), soon);
  await using polite = await openAging({}, {});
  expect(await ask(polite.session, "/a")).toBe(200);
  await polite.pass(275_000);
  await vi.waitFor(() => expect(polite.sockets[0]?.destroyed).toBe(true), soon);
});

test("a drain of a server whose connections have grown old waits for what they carry, too", async () => {
  await using aging = await openAging({ maxAgeMs: 20_000 });
  const { session, listener, clock, asked, gate, pass } = aging;
  const slow = ask(session, "/slow");
  await vi.waitFor(() => expect(asked).toEqual(["/slow"]), soon);
  await pass(22_000);
  const drained = listener.drain(5_000);
  await clock.advance(1_000);
  gate.resolve();
  expect(await slow).toBe(200);
  await pass(2_000);
  expect(await drained).toBe(0);
});

test("a peer that is told of the age, and then of a drain, is never told a later last stream than before", async () => {
  const gate = Promise.withResolvers<void>();
  let begun = false;
  const handler: ListenOptions["handler"] = async () => {
    begun = true;
    await gate.promise;
    return { status: 200 };
  };
  await using aging = await openAging({ handler, maxAgeMs: 20_000 });
  const { listener, clock, pass } = aging;
  const client = connect({ host, port: listener.port }).on("error", () => {});
  let received = Buffer.alloc(0);
  client.on("data", (bytes) => {
    received = Buffer.concat([received, bytes]);
  });
  const greeting = [preface, frame(FrameType.settings, 0, 0), frame(FrameType.settings, 1, 0)];
  client.write(Buffer.concat([...greeting, frame(FrameType.headers, 5, 1, requestBlock)]));
  await vi.waitUntil(() => begun, soon);
  await pass(23_000); // it does not answer the PING, and is told all the same
  const drained = listener.drain(5_000);
  await clock.advance(1_000);
  gate.resolve();
  await pass(8_000);
  await drained;
  const lastIds: number[] = [];
  for (let at = 0; at < received.length; at += 9 + received.readUIntBE(at, 3)) {
    if (received[at + 3] === FrameType.goAway) lastIds.push(received.readUInt32BE(at + 9));
  }
  expect(lastIds).toEqual([2 ** 31 - 1, 1]);
  client.destroy();
});

test("a server of Node's engine, too, asks an old connection's client to go elsewhere, and cuts off what stays", async () => {
  const gate = Promise.withResolvers<void>();
  const asked: string[] = [];
  const handler: ListenOptions["handler"] = async ({ url }) => {
    asked.push(new URL(url).pathname);
    if (url.endsWith("/slow")) await gate.promise;
    return { status: 200 };
  };
  await using listener = await engines.node.listen({ host, port: 0, handler, maxAgeMs: 100, ageGraceMs: 500 });
  await using session = createOwnEngine().connect(`${host}:${listener.port}`, forever);
  const slow = ask(session, "/slow");
  await vi.waitFor(() => expect(asked).toEqual(["/slow"]), soon);
  await vi.waitUntil(() => session.state === "idle", soon);
  let cutOff = false;
  void slow.then(() => {
    cutOff = true;
  });
  expect([await ask(session, "/after"), cutOff]).toEqual([200, false]);
  expect(await slow).toBe("processed");
  gate.resolve();
});

test("Node's engine goes over to another connection by age as well, and the old one finishes what it carries", async () => {
  await using aging = await openAging({});
  const { asked, gate, listener } = aging;
  await using session = engines.node.connect(`${host}:${listener.port}`, { maxAgeMs: 50 });
  const slow = ask(session, "/slow");
  await vi.waitFor(() => expect(asked).toEqual(["/slow"]), soon);
  await vi.waitUntil(() => session.state === "idle", soon);
  expect(await ask(session, "/after")).toBe(200);
  gate.resolve();
  expect(await slow).toBe(200);
});
