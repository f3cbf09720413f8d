import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { Flag, FrameType } from "../http2/frame.ts";
import { grpcHead, openAttacker } from "../testing/attacker.ts";
import { block, frame, requestBlock, word } from "../testing/http2-frames.ts";
import type { TestServer } from "../testing/open-server.ts";
import { limitsPassed, openVictim, withstands } from "../testing/victim.ts";

const { data, headers, rstStream, settings, ping, windowUpdate, continuation } = FrameType;
const path = "/shop.user.v1.UserService/GetUser";
const head = (i: number) => grpcHead(2 * i + 1, path);
const open = (id: number) => frame(headers, Flag.endHeaders, id, requestBlock);

let server: TestServer;
beforeAll(async () => {
  server = await openVictim();
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => server?.[Symbol.asyncDispose]());

/** Each attack, and the limit whose name has to stand in the GOAWAY that ends it. */
const attacks: readonly [name: string, limit: string, make: (i: number) => Buffer | Buffer[]][] = [
  ["rapid reset", "resetsReceived", (i) => [head(i), frame(rstStream, 0, 2 * i + 1, word(8))]],
  ["made-you-reset by windows", "resetsForced", (i) => [head(i), frame(windowUpdate, 0, 2 * i + 1, word(0))]],
  [
    "made-you-reset by bodies after the end",
    "resetsForced",
    (i) => [open(2 * i + 1), frame(data, 1, 2 * i + 1), frame(data, 1, 2 * i + 1, [1])],
  ],
  ["made-you-reset by malformed requests", "resetsForced", (i) => frame(headers, 5, 2 * i + 1, block("x", "y"))],
  [
    "CONTINUATION without end",
    "continuationFrames",
    (i) => (i === 0 ? frame(headers, 0, 1, requestBlock) : frame(continuation, 0, 1, [0x84])),
  ],
  [
    "large CONTINUATION without end",
    "headerListBytes",
    (i) => (i === 0 ? frame(headers, 0, 1, requestBlock) : frame(continuation, 0, 1, Buffer.alloc(16_000))),
  ],
  [
    "empty CONTINUATION without end",
    "continuationFrames",
    (i) => (i === 0 ? frame(headers, 0, 1, requestBlock) : frame(continuation, 0, 1)),
  ],
  ["a flood of SETTINGS", "settings", () => frame(settings, 0, 0)],
  ["a flood of PING", "pings", () => frame(ping, 0, 0, Buffer.alloc(8))],
  ["a flood of empty DATA", "emptyFrames", (i) => (i === 0 ? head(0) : frame(data, 0, 1))],
  ["a flood of WINDOW_UPDATE", "windowUpdates", () => frame(windowUpdate, 0, 0, word(1))],
  ["streams that are opened and left", "concurrentStreams", (i) => head(i)],
];

test.each(attacks)("%s is stopped by %s", async (_name, limit, make) => {
  const passed = limitsPassed();
  await using attacker = await openAttacker(server.port);
  await withstands(server, async () => {
    await attacker.flood(make);
    await attacker.closed;
  });
  expect(passed).toContain(limit);
});

/** A field of 4,000 bytes that enters the table, where one byte names it again. */
const bigField = Buffer.concat([Buffer.from("40016a7fa11e", "hex"), Buffer.alloc(4_000, 0x61)]);
const namedAgain = (times: number) => Buffer.alloc(times, 0xbe);

test("an HPACK bomb costs its stream, again and again its connection, and is not built", async () => {
  const passed = limitsPassed();
  await using attacker = await openAttacker(server.port);
  const first = Buffer.concat([requestBlock, bigField, namedAgain(12_000)]); // 12,000 times 4,000 bytes
  const again = Buffer.concat([requestBlock, namedAgain(16_000)]);
  await withstands(server, async () => {
    await attacker.flood((i) => frame(headers, 5, 2 * i + 1, i === 0 ? first : again), 2_000);
    await attacker.closed;
  });
  expect([...passed]).toEqual(["headerListBytes", "resetsForced"]);
});

test("a dynamic table that is thrashed costs its sender, and nobody else", async () => {
  await using attacker = await openAttacker(server.port);
  const resize = Buffer.from("203fe11f", "hex"); // to 0, and back to 4,096
  const entry = (i: number) => Buffer.from([0x40, 2, 0x78, 0x61 + (i % 26), 1, 0x61 + (i % 26)]);
  const thrash = Buffer.concat([resize, requestBlock, ...Array.from({ length: 100 }, (_, i) => entry(i))]);
  await attacker.send(frame(windowUpdate, 0, 0, word(2 ** 30))); // for all the answers
  await withstands(server, async () => {
    for (let last = 1; last < 3_000; last += 200) {
      await attacker.flood((i) => frame(headers, 5, last + 2 * i, thrash), 100);
      await expect.poll(() => attacker.answer(last + 198).ended, { interval: 5 }).toBe("end");
    }
  });
  expect(attacker.answer(1).fields.get(":status")).toBe("404");
});

test.each([
  ["headerCount", Buffer.concat([requestBlock, ...Array.from({ length: 300 }, () => block("x", "y"))])],
  ["headerListBytes", Buffer.concat([requestBlock, bigField, namedAgain(20)])],
])("a header list beyond %s costs its stream only", async (limit, fields) => {
  const passed = limitsPassed();
  await using attacker = await openAttacker(server.port);
  await withstands(server, async () => {
    await attacker.send(frame(headers, 5, 1, fields), grpcHead(3, path), frame(data, 1, 3, [0, 0, 0, 0, 2, 8, 7]));
    await expect.poll(() => attacker.answer(3).ended).toBe("end");
  });
  expect([...passed]).toEqual([limit]);
  expect(attacker.answer(1).ended).toBe("ENHANCE_YOUR_CALM");
  expect(attacker.answer(3).fields.get("grpc-status")).toBe("0");
});
