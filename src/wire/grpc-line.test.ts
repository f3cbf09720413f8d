import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { progressOf } from "../call/progress.ts";
import { prefixed } from "../testing/attacker.ts";
import { Notes, textsOf } from "../testing/notes.ts";
import { engines } from "./engines.ts";
import { grpcTransport } from "./grpc.ts";

/** A server of another make that takes so many calls at once, and answers when it is told. */
async function openNarrow(maxConcurrentStreams: number) {
  const server = createServer({ settings: { maxConcurrentStreams } });
  const held: ServerHttp2Stream[] = [];
  const sessions: ServerHttp2Session[] = [];
  let asked = 0;
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    asked++;
    held.push(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    asked: () => asked,
    /** Answers the call that came first. */
    answer() {
      const stream = held.shift();
      if (stream === undefined || stream.destroyed) return;
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(prefixed(Buffer.from([0x0a, 1, 0x61])));
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const endOf = (call: Promise<unknown>) =>
  call.then(
    () => "answered",
    (reason) => {
      const error = ConnectError.from(reason);
      return `${Code[error.code]}, ${progressOf(error)}`;
    },
  );

describe.each(Object.entries(engines))("gRPC calls of %s that wait for room", { timeout: 20_000 }, (_, engine) => {
  async function openWaiting() {
    const peer = await openNarrow(1);
    const session = engine.connect(peer.address, { maxConnections: 1 });
    const notes = createClient(Notes, grpcTransport(session));
    const first = endOf(notes.one({}));
    await vi.waitFor(() => expect(peer.asked()).toBe(1), 5_000);
    return {
      peer,
      session,
      notes,
      first,
      async [Symbol.asyncDispose]() {
        await session[Symbol.asyncDispose]();
        await peer[Symbol.asyncDispose]();
      },
    };
  }

  test("they are sent in their order, as soon as one that was sent has ended", async () => {
    await using waiting = await openWaiting();
    const { peer, notes, first } = waiting;
    const others = [endOf(notes.one({})), endOf(textsOf(notes.list({}))), endOf(notes.one({}))];
    for (const turn of [1, 2, 3, 4]) {
      await vi.waitFor(() => expect(peer.asked()).toBe(turn), 5_000);
      peer.answer();
    }
    expect(await Promise.all([first, ...others])).toEqual(Array(4).fill("answered"));
    expect(peer.sessions).toHaveLength(1);
  });

  test("one whose caller leaves, or whose time is over, is never sent, and those behind it are", async () => {
    await using waiting = await openWaiting();
    const { peer, notes, first } = waiting;
    const leave = new AbortController();
    const left = [endOf(notes.one({}, { signal: leave.signal })), endOf(notes.one({}, { timeoutMs: 30 }))];
    const last = endOf(notes.one({}));
    leave.abort();
    expect(await Promise.all(left)).toEqual([
      expect.stringMatching(/^Canceled/),
      expect.stringMatching(/^DeadlineExceeded/),
    ]);
    for (const turn of [1, 2]) {
      await vi.waitFor(() => expect(peer.asked()).toBe(turn), 5_000);
      peer.answer();
    }
    expect(await Promise.all([first, last])).toEqual(["answered", "answered"]);
    expect(peer.asked()).toBe(2);
  });

  test("when the connection goes, those that wait were not sent, or find another", async () => {
    await using waiting = await openWaiting();
    const { peer, notes, first } = waiting;
    const waits = [endOf(notes.one({}, { timeoutMs: 500 })), endOf(textsOf(notes.list({}, { timeoutMs: 500 })))];
    await new Promise((resolve) => setTimeout(resolve, 20));
    peer.sessions[0]?.destroy();
    expect(await first).toBe("Unavailable, processed");
    const told = engine === engines.own ? /not-sent$|^DeadlineExceeded/ : /^Unavailable|^DeadlineExceeded/; // Node's cannot tell
    for (const end of await Promise.all(waits)) expect(end).toMatch(told);
  });

  test("a session that retires answers what it has begun, then closes", async () => {
    await using waiting = await openWaiting();
    const { peer, session, first } = waiting;
    const retired = session.retire();
    peer.answer();
    expect(await first).toBe("answered");
    await retired;
    await vi.waitFor(() => expect(peer.sessions[0]?.destroyed).toBe(true), 5_000);
  });
});

test.each([0, -5])("a time of %d ms is no limit, as Connect has it", async (timeoutMs) => {
  for (const engine of Object.values(engines)) {
    await using peer = await openNarrow(10);
    await using session = engine.connect(peer.address);
    const call = endOf(createClient(Notes, grpcTransport(session)).one({}, { timeoutMs }));
    await vi.waitFor(() => expect(peer.asked()).toBe(1), 5_000);
    peer.answer();
    expect(await call).toBe("answered");
  }
});
