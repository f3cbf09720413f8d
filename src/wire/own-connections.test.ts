import { createServer, type ServerHttp2Session } from "node:http2";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { errorReason } from "../call/errors.ts";
import { progressOf } from "../call/progress.ts";
import { FrameType } from "../http2/frame.ts";
import { read, requestOf } from "../testing/bodies.ts";
import { type FakeClock, fakeClock } from "../testing/fake-clock.ts";
import { freePort } from "../testing/free-port.ts";
import { frame } from "../testing/http2-frames.ts";
import type { Session, SessionOptions, SessionState } from "./engine.ts";
import type { Network } from "./network.ts";
import { createOwnEngine } from "./own.ts";
import { socketNetwork } from "./socket-network.ts";

const host = "127.0.0.1";

/** Sends one request; answers its status, or how it failed. */
async function ask(session: Session, path = "/a") {
  try {
    const { status, body } = await session.request(requestOf(session, { path }));
    await read(body);
    return status;
  } catch (reason) {
    const error = ConnectError.from(reason);
    return { code: error.code, reason: errorReason(error)?.reason, progress: progressOf(error) };
  }
}

/** A peer of Node's that takes so many streams on a connection, and holds them until told. */
async function openNarrow(maxConcurrentStreams: number) {
  const server = createServer({ settings: { maxConcurrentStreams } });
  const sessions: ServerHttp2Session[] = [];
  const asked: { path: string; on: number; answer(): void }[] = [];
  server.on("session", (session) => {
    session.on("error", () => {});
    const on = sessions.push(session);
    session.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      const answer = () => {
        if (stream.destroyed) return;
        stream.respond({ ":status": 200 });
        stream.end();
      };
      asked.push({ path: String(headers[":path"]), on, answer });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    /** Every connection there was, and how many there are. */
    sessions,
    open: () => sessions.filter(({ destroyed }) => !destroyed).length,
    /** Every request that came, and on which connection, counted from 1. */
    asked,
    came: () => asked.map(({ path, on }) => `${path} on ${on}`),
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A session on a clock of its own, and what it has told of itself. */
function openSession(address: string, options: SessionOptions = {}, network = socketNetwork()) {
  const clock = fakeClock();
  const session = createOwnEngine({ clock, random: () => 0.5, network }).connect(address, options);
  const states: SessionState[] = [];
  session.onChange((state) => states.push(state));
  return { clock, session, states, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
}

/** Lets time pass a second at a time, with time for sockets in between. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 1_000) {
    await clock.advance(1_000);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

const soon = { timeout: 5_000 };

test("a further connection opens when every one is full, up to four; then requests wait for the first room there is", async () => {
  await using peer = await openNarrow(2);
  await using opened = openSession(peer.address);
  const calls = Array.from({ length: 10 }, (_, turn) => ask(opened.session, `/${turn}`));
  await vi.waitFor(() => expect(peer.asked).toHaveLength(8), soon);
  await pass(opened.clock, 2_000);
  expect([peer.asked.length, peer.sessions.length]).toEqual([8, 4]);
  peer.asked.find(({ on }) => on === 3)?.answer();
  await vi.waitFor(() => expect(peer.came().at(-1)).toMatch("/8 on 3"), soon);
  for (const { answer } of peer.asked.splice(0)) answer();
  await vi.waitFor(() => expect(peer.asked).toHaveLength(1), soon);
  peer.asked[0]?.answer();
  expect(await Promise.all(calls)).toEqual(Array(10).fill(200));
});

test("requests fill a connection before they go to the next, and what a peak has opened closes when it has been idle", async () => {
  await using peer = await openNarrow(1);
  await using opened = openSession(peer.address);
  const { clock, session, states } = opened;
  const peak = ["/a", "/b", "/c"].map((path) => ask(session, path));
  await vi.waitFor(() => expect(peer.came()).toEqual(["/a on 1", "/b on 2", "/c on 3"]), soon);
  for (const { answer } of peer.asked.splice(0)) answer();
  await Promise.all(peak);
  const after = ask(session, "/d");
  await vi.waitFor(() => expect(peer.came()).toEqual(["/d on 1"]), soon);
  peer.asked[0]?.answer();
  await after;
  await pass(clock, 25_000);
  expect(peer.open()).toBe(3);
  await pass(clock, 10_000);
  await vi.waitFor(() => expect(peer.open()).toBe(1), soon);
  expect([session.state, states]).toEqual(["ready", ["connecting", "ready"]]);
  await pass(clock, 270_000);
  await vi.waitFor(() => expect(peer.open()).toBe(0), soon);
  expect(session.state).toBe("idle");
});

test("an old connection is replaced: the next one opens first, and the old one finishes what it carries", async () => {
  await using peer = await openNarrow(10);
  await using opened = openSession(peer.address, { maxAgeMs: 20_000 });
  const { clock, session, states } = opened;
  const first = ask(session, "/old");
  await vi.waitFor(() => expect(peer.came()).toEqual(["/old on 1"]), soon);
  await pass(clock, 18_000);
  expect(peer.sessions).toHaveLength(1);
  await pass(clock, 2_000);
  await vi.waitFor(() => expect(peer.sessions).toHaveLength(2), soon);
  await pass(clock, 2_000);
  const second = ask(session, "/new");
  await vi.waitFor(() => expect(peer.came()).toEqual(["/old on 1", "/new on 2"]), soon);
  expect(peer.open()).toBe(2);
  for (const { answer } of peer.asked) answer();
  expect(await Promise.all([first, second])).toEqual([200, 200]);
  await vi.waitFor(() => expect(peer.sessions[0]?.destroyed).toBe(true), soon);
  expect(states).toEqual(["connecting", "ready"]);
});

test("an old connection goes on where none can be opened in its place", async () => {
  await using peer = await openNarrow(10);
  const nowhere = `${host}:${await freePort()}`;
  const network = socketNetwork();
  let tries = 0;
  const connect: Network["connect"] = (address) => network.connect(tries++ === 0 ? address : nowhere);
  await using opened = openSession(peer.address, { maxAgeMs: 20_000 }, { ...network, connect });
  const { clock, session } = opened;
  const first = ask(session, "/a");
  await vi.waitFor(() => expect(peer.asked).toHaveLength(1), soon);
  await pass(clock, 30_000);
  const second = ask(session, "/b");
  await vi.waitFor(() => expect(peer.came()).toEqual(["/a on 1", "/b on 1"]), soon);
  expect(session.state).toBe("ready");
  expect(tries).toBeGreaterThan(1);
  for (const { answer } of peer.asked) answer();
  expect(await Promise.all([first, second])).toEqual([200, 200]);
});

test("no call is lost or done twice while both ends replace connections under load", async () => {
  const clock = fakeClock();
  const engine = createOwnEngine({ clock });
  const done: string[] = [];
  const handler = async ({ url }: { readonly url: string }) => {
    done.push(new URL(url).pathname);
    await clock.sleep(300);
    return { status: 200 };
  };
  await using listener = await engine.listen({ host, port: 0, handler, maxAgeMs: 3_000, ageGraceMs: 5_000 });
  await using session = engine.connect(`${host}:${listener.port}`, { maxAgeMs: 5_000 });
  const calls: Promise<unknown>[] = [];
  for (let turn = 0; turn < 300; turn++) {
    calls.push(ask(session, `/${turn}`));
    await clock.advance(100);
  }
  await vi.waitFor(async () => {
    await clock.advance(100);
    expect(listener.inFlight).toBe(0);
  }, soon);
  expect(await Promise.all(calls)).toEqual(Array(300).fill(200));
  expect([done.length, new Set(done).size]).toEqual([300, 300]);
});

test("requests that wait for room on a connection that is lost go out on the next", async () => {
  await using peer = await openNarrow(1);
  await using opened = openSession(peer.address, { maxConnections: 1 });
  const calls = [ask(opened.session, "/a"), ask(opened.session, "/b")];
  await vi.waitFor(() => expect(peer.came()).toEqual(["/a on 1"]), soon);
  peer.sessions[0]?.destroy();
  await vi.waitFor(() => expect(peer.came()).toEqual(["/a on 1", "/b on 2"]), soon);
  peer.asked[1]?.answer();
  const lost = { code: Code.Unavailable, reason: "CONNECTION_LOST", progress: "processed" };
  expect(await Promise.all(calls)).toEqual([lost, 200]);
});

test("a peer that greets and leaves at once is left alone as one that cannot be reached", async () => {
  const sockets: Socket[] = [];
  const leaving = createTcpServer((socket) => {
    sockets.push(socket.on("error", () => {}).resume());
    const goAway = frame(FrameType.goAway, 0, 0, Buffer.alloc(8));
    socket.end(Buffer.concat([frame(FrameType.settings, 0, 0), goAway]));
  });
  await new Promise<void>((resolve) => leaving.listen(0, host, resolve));
  await using opened = openSession(`${host}:${(leaving.address() as AddressInfo).port}`);
  const ended = await Promise.all([1, 2, 3].map(() => ask(opened.session)));
  for (const end of ended)
    expect(end).toMatchObject({ code: Code.Unavailable, progress: expect.stringMatching(/^(refused|not-sent)$/) });
  expect(await ask(opened.session)).toMatchObject({ reason: "CONNECT_BACKOFF", progress: "not-sent" });
  expect([sockets.length, opened.session.state]).toEqual([1, "backoff"]);
  leaving.close();
});

test("where several tries have failed others are preferred for long, yet who has no other may try after a second", async () => {
  const gone = await openNarrow(1);
  await gone[Symbol.asyncDispose]();
  const { clock, session, states } = openSession(gone.address);
  const failed = { code: Code.Unavailable, reason: "CONNECT_FAILED", progress: "not-sent" };
  const refused = { ...failed, reason: "CONNECT_BACKOFF" };
  for (let turn = 0; turn < 8; turn++) {
    expect(await ask(session)).toEqual(failed);
    expect([session.state, await ask(session)]).toEqual(["backoff", refused]);
    await clock.advance(1_000);
  }
  expect(session.state).toBe("backoff"); // 2.7 s by now
  await clock.advance(2_000);
  expect(session.state).toBe("idle");
  expect(states.slice(0, 3)).toEqual(["connecting", "backoff", "idle"]);
  await session[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
});

test("a session that is closed leaves no timer, and sends nothing more", async () => {
  await using peer = await openNarrow(1);
  const { clock, session, states } = openSession(peer.address);
  const calls = [ask(session), ask(session)];
  await vi.waitFor(() => expect(peer.asked).toHaveLength(2), soon);
  await session[Symbol.asyncDispose]();
  for (const ended of await Promise.all(calls)) expect(ended).toMatchObject({ code: Code.Unavailable });
  expect(await ask(session)).toMatchObject({ reason: "SESSION_CLOSED", progress: "not-sent" });
  await vi.waitFor(() => expect([clock.pending, peer.open()]).toEqual([0, 0]), soon);
  expect(states.at(-1)).toBe("idle");
});
