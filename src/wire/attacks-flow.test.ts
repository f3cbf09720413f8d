import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { systemClock } from "../base/clock.ts";
import { Watchable } from "../base/watch.ts";
import { Flag, FrameType } from "../http2/frame.ts";
import type { Limits } from "../http2/limits.ts";
import { type Attacker, openAttacker, setting } from "../testing/attacker.ts";
import { frame, requestBlock, word } from "../testing/http2-frames.ts";
import type { TestServer } from "../testing/open-server.ts";
import { limitsPassed, openVictim, withstands } from "../testing/victim.ts";
import type { HttpHandler } from "./engine.ts";
import { Serving } from "./own-serving.ts";

const { data, headers, settings, windowUpdate, continuation } = FrameType;
const open = (id: number) => frame(headers, Flag.endHeaders | Flag.endStream, id, requestBlock);
const piece = new Uint8Array(64 * 1024);

/** How much of its endless answers was asked for so far, and how many of them were told that nobody wants the rest. */
const endless = { made: 0, left: 0 };
const answerEndlessly: HttpHandler = async () => ({
  status: 200,
  body: (async function* () {
    try {
      for (;;) {
        endless.made += piece.length;
        yield piece;
      }
    } finally {
      endless.left++;
    }
  })(),
});

let server: TestServer;
beforeAll(async () => {
  server = await openVictim(answerEndlessly);
});
afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(endless, { made: 0, left: 0 });
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** Serves endless answers on a port of its own, under limits of its own. */
async function openServing(limits: Partial<Limits>) {
  const inFlight = new Watchable(0);
  const tcp = createServer(
    (socket) => new Serving(socket, { handler: answerEndlessly, scheme: "http", clock: systemClock, inFlight, limits }),
  );
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as { readonly port: number };
  return { port, [Symbol.dispose]: () => void tcp.close() };
}

test.each<[string, string, (attacker: Attacker) => Promise<void>]>([
  [
    "a stream's window that is widened too far",
    "FLOW_CONTROL_ERROR",
    (a) => a.send(open(1), frame(windowUpdate, 0, 1, word(2 ** 31 - 1))),
  ],
  [
    "a stream's window that SETTINGS widen too far",
    "goAway",
    (a) => a.send(open(1), frame(windowUpdate, 0, 1, word(2 ** 31 - 65_536)), setting(4, 2 ** 31 - 1)),
  ],
  [
    "the connection's window that is widened too far",
    "goAway",
    (a) => a.send(open(1), frame(windowUpdate, 0, 0, word(2 ** 31 - 1))),
  ],
])("%s is a FLOW_CONTROL_ERROR", async (_name, how, attack) => {
  await using attacker = await openAttacker(server.port, { settings: setting(4, 1) });
  await withstands(server, async () => {
    await attack(attacker);
    if (how === "goAway") await attacker.closed;
    else await expect.poll(() => attacker.answer(1).ended).toBe(how);
  });
  if (how === "goAway") expect(attacker.goAway).toMatch(/^FLOW_CONTROL_ERROR/);
  await expect.poll(() => endless.left).toBe(1);
});

/** Stream by stream `perStream` frames of the largest size; nobody reads them. */
const bodies = (perStream: number) => (i: number) => {
  const id = 2 * Math.floor(i / perStream) + 1;
  const body = frame(data, 0, id, Buffer.alloc(16_384));
  return i % perStream === 0 ? [frame(headers, Flag.endHeaders, id, requestBlock), body] : [body];
};

test("a body that overruns its stream's window costs the stream", async () => {
  await using attacker = await openAttacker(server.port);
  await withstands(server, async () => {
    await attacker.flood(bodies(2_000), 2_000);
    await expect.poll(() => attacker.answer(1).ended).toBe("FLOW_CONTROL_ERROR");
  });
  await expect.poll(() => endless.left).toBe(1);
});

test("bodies that overrun the connection's window, each within its stream's, cost the connection", async () => {
  await using attacker = await openAttacker(server.port);
  await withstands(server, () => attacker.flood(bodies(10), 2_000));
  expect(attacker.goAway).toMatch(/^FLOW_CONTROL_ERROR/);
});

test("windows that stay shut hold back what is asked for, and free it when the peer goes", async () => {
  await using attacker = await openAttacker(server.port, { settings: setting(4, 0) });
  await withstands(server, async () => {
    for (let i = 0; i < 500; i++) await attacker.send(open(2 * i + 1));
    await expect.poll(() => endless.made).toBe(500 * piece.length); // a piece for each, and they share its bytes
  });
  await attacker[Symbol.asyncDispose]();
  await expect.poll(() => endless.left).toBe(500);
});

test("a window opened by the byte lets bytes through, and no more is held than without", async () => {
  const passed = limitsPassed();
  await using attacker = await openAttacker(server.port, { settings: setting(4, 0) });
  await attacker.send(open(1));
  await withstands(server, () => attacker.flood(() => frame(windowUpdate, 0, 1, word(1)), 30_000));
  expect(endless.made).toBe(piece.length);
  expect([...passed]).toEqual(["windowUpdates"]);
});

test("a peer that does not read holds back what it asked for, and is let go after stallMs", async () => {
  using serving = await openServing({ stallMs: 1_000 });
  await using attacker = await openAttacker(serving.port, { settings: setting(4, 2 ** 31 - 1) });
  attacker.socket.pause();
  await withstands(server, async () => {
    await attacker.send(frame(windowUpdate, 0, 0, word(2 ** 31 - 65_536)), open(1));
    await expect.poll(() => endless.left, { timeout: 10_000 }).toBe(1);
  });
  expect(endless.made).toBeLessThan(32 * 1024 * 1024); // the system's own buffers are the most of it
}, 15_000);

test.each<[keyof Limits, Partial<Limits>, (attacker: Attacker, i: number) => Promise<void>]>([
  [
    "partialMs",
    { partialMs: 500 },
    (a, i) => a.send(i === 0 ? frame(headers, 0, 1, requestBlock) : frame(continuation, 0, 1, [0x84])),
  ],
  [
    "partialMs",
    { partialMs: 500 },
    (a, i) => a.send(i === 0 ? frame(settings, 0, 0, Buffer.alloc(600)).subarray(0, 9) : Buffer.from([0])),
  ],
  ["settingsAckMs", { settingsAckMs: 500 }, (a) => a.send()],
  ["idleMs", { idleMs: 500 }, (a) => a.send()],
])(
  "a peer that dribbles is let go after %s",
  async (limit, limits, dribble) => {
    const passed = limitsPassed();
    using serving = await openServing(limits);
    await using attacker = await openAttacker(serving.port, { acknowledge: limit !== "settingsAckMs" });
    await withstands(server, async () => {
      for (let i = 0; !attacker.isOver; i++) {
        await dribble(attacker, i);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
    expect([...passed]).toContain(limit);
  },
  15_000,
);
