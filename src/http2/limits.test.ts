import { expect, test } from "vitest";
import { block, frame, requestBlock, type UnderAttack, underAttack, word } from "../testing/http2-frames.ts";
import { http2End, http2Pair } from "../testing/http2-pair.ts";
import { Flag, FrameType, preface } from "./frame.ts";
import { type Limits, Meter } from "./limits.ts";
import type { Stream } from "./stream.ts";

const { data, headers, rstStream, settings, ping, windowUpdate, continuation, goAway } = FrameType;
const open = (id: number, flags = 0) => frame(headers, flags | Flag.endHeaders, id, requestBlock);
const few = { burst: 20, perSecond: 10 };
const server = (limits: Partial<Limits>) => underAttack("server", { limits });

/** Sends what `make` makes until the connection is over: how often that took, and what it told last. */
function flood(end: UnderAttack, make: (i: number) => Uint8Array | Uint8Array[], most = 10_000) {
  let count = 0;
  while (!end.connection.isOver && count < most) end.send(make(count++));
  return { count, last: end.told.take().at(-1) };
}

test("rapid reset ends the connection, named", () => {
  const cancelled = (i: number) => [open(2 * i + 1), frame(rstStream, 0, 2 * i + 1, word(8))];
  expect(flood(server({ resetsReceived: few }), cancelled)).toEqual({
    count: 21,
    last: "failed ENHANCE_YOUR_CALM resetsReceived",
  });
  const [{ count }, waiting] = [flood(server({}), cancelled), server({})];
  expect(count).toBe(1_001);
  for (let i = 0; i < 5_000; i++) waiting.send(cancelled(i), i * 10);
  expect(waiting.connection.isOver).toBe(false);
});

test("a peer that cancels now and then among calls that end well may go on for ever", () => {
  const end = server({ resetsReceived: few, streamsOpened: few });
  for (let i = 0; i < 500; i++) {
    end.send([open(4 * i + 1, Flag.endStream), open(4 * i + 3), frame(rstStream, 0, 4 * i + 3, word(8))], i * 200);
    end.connection.sendHeaders(end.told.streams.get(4 * i + 1) as Stream, [":status", "200"], true);
    end.send([], i * 200);
  }
  expect(end.connection.isOver).toBe(false);
});

test("a peer that makes us reset pays for each", () => {
  const bad = (i: number) => [open(2 * i + 1), frame(windowUpdate, 0, 2 * i + 1, word(0))];
  expect(flood(server({ resetsForced: few }), bad)).toEqual({
    count: 21,
    last: "failed ENHANCE_YOUR_CALM resetsForced",
  });
});

test.each<[keyof Limits, (i: number) => Buffer]>([
  ["pings", () => frame(ping, 0, 0, Buffer.alloc(8))],
  ["settings", () => frame(settings, 0, 0)],
  ["windowUpdates", () => frame(windowUpdate, 0, 0, word(1))],
  ["emptyFrames", (i) => (i === 0 ? open(1) : frame(data, 0, 1))],
  ["emptyFrames", (i) => (i === 0 ? open(1) : frame(data, Flag.padded, 1, [3, 0, 0, 0]))],
  ["streamsOpened", (i) => open(2 * i + 1)],
])("a flood against %s ends the connection, named", (limit, make) => {
  const end = server({ [limit]: few, concurrentStreams: 100 });
  const { count, last } = flood(end, make);
  expect(count).toBeGreaterThan(19);
  expect(count).toBeLessThan(24);
  expect(last).toBe(`failed ENHANCE_YOUR_CALM ${limit}`);
});

test("CONTINUATION without end is stopped by number, by size and when empty", () => {
  const start = frame(headers, 0, 1, requestBlock);
  const one = (bytes: number) => (i: number) => (i === 0 ? start : frame(continuation, 0, 1, Buffer.alloc(bytes)));
  expect(flood(server({}), one(1))).toEqual({ count: 34, last: "failed ENHANCE_YOUR_CALM continuationFrames" });
  expect(flood(server({}), one(16_384)).last).toBe("failed ENHANCE_YOUR_CALM headerListBytes");
  expect(flood(server({ emptyFrames: few, continuationFrames: 1_000 }), one(0)).last).toBe(
    "failed ENHANCE_YOUR_CALM emptyFrames",
  );
});

test("header lists that are too long, or have too many fields, cost their stream and no other", () => {
  const end = server({ headerListBytes: 2_000, headerCount: 30 });
  const long = block(":method", "GET", ":scheme", "http", ":path", "/", "x", "v".repeat(1_900));
  const many = Buffer.concat([requestBlock, Buffer.alloc(100, 0x8f)]);
  expect(end.send(frame(headers, 5, 1, long))).toEqual(["rstStream 1 ENHANCE_YOUR_CALM"]);
  expect(end.send(frame(headers, 5, 3, many))).toEqual(["rstStream 3 ENHANCE_YOUR_CALM"]);
  end.send(open(5));
  expect(end.told.take().map((line) => line.slice(0, 40))).toEqual([
    "fault 1 ENHANCE_YOUR_CALM headerListByte",
    "fault 3 ENHANCE_YOUR_CALM headerListByte",
    expect.stringContaining("headers 5"),
  ]);
});

test("an HPACK bomb is counted, not built", () => {
  const end = server({});
  const big = Buffer.concat([Buffer.from("40016a7fc11e", "hex"), Buffer.alloc(4_000, 0x61)]);
  const bomb = Buffer.concat([requestBlock, big, Buffer.alloc(12_000, 0xbe)]); // 12,000 times 4,000 bytes
  expect(end.send(frame(headers, 5, 1, bomb))).toEqual(["rstStream 1 ENHANCE_YOUR_CALM"]);
});

test("streams above what was allowed are refused, and may be tried again", () => {
  const end = server({ concurrentStreams: 2 });
  expect(end.send([open(1), open(3), open(5)])).toEqual(["rstStream 5 REFUSED_STREAM"]);
  end.connection.sendHeaders(end.told.streams.get(1) as Stream, [":status", "200"], true);
  expect(end.send([frame(data, 1, 1), open(7)]).filter((line) => line.startsWith("rst"))).toEqual([]);
});

test("windows that are overrun end the stream, or the connection", () => {
  const small = underAttack("server", { initialWindowBytes: 10 });
  expect(small.send([open(1), frame(data, 0, 1, Buffer.alloc(11))]).at(-1)).toBe("rstStream 1 FLOW_CONTROL_ERROR");
  const whole = underAttack("server", { initialWindowBytes: 65_535 });
  const body = (id: number) => frame(data, 0, id, Buffer.alloc(16_383));
  const ids = [1, 3, 5, 7, 9];
  whole.send(ids.map((id) => open(id)));
  for (let i = 0; i < 16; i++) whole.send(body(ids[i >> 2] as number));
  expect(whole.connection.isOver).toBe(false);
  expect(whole.send(body(9)).at(-1)).toBe("goAway 0 FLOW_CONTROL_ERROR");
});

test("windows of ours that a peer makes too large end the stream, or the connection", () => {
  const end = underAttack("server");
  expect(end.send([open(1), frame(windowUpdate, 0, 1, word(2 ** 31 - 1))])).toEqual(["rstStream 1 FLOW_CONTROL_ERROR"]);
  expect(end.send(frame(windowUpdate, 0, 0, word(2 ** 31 - 1)))).toEqual(["goAway 0 FLOW_CONTROL_ERROR"]);
  const other = underAttack("server");
  other.send([open(1), frame(windowUpdate, 0, 1, word(2 ** 31 - 1 - 65_535))]);
  expect(other.send(frame(settings, 0, 0, [0, 4, 0, 1, 0, 0]))).toEqual(["goAway 0 FLOW_CONTROL_ERROR"]);
});

test("a body that is not as long as promised is malformed", () => {
  const promised = block(":method", "POST", ":scheme", "http", ":path", "/", "content-length", "3");
  const begin = frame(headers, 4, 1, promised);
  const malformed = ["rstStream 1 PROTOCOL_ERROR"];
  const sent = (...frames: Buffer[]) => underAttack("server").send(frames);
  expect(sent(frame(headers, 5, 1, promised))).toEqual(malformed);
  expect(sent(begin, frame(data, 0, 1, [1, 2, 3, 4]))).toEqual(malformed);
  expect(sent(begin, frame(data, 1, 1, [1, 2]))).toEqual(malformed);
  expect(sent(begin, frame(data, 0, 1, [1]), frame(headers, 5, 1, block("a", "b")))).toEqual(malformed);
  expect(sent(begin, frame(data, 0, 1, [1, 2]), frame(data, 1, 1, [3]))).toEqual([]);
});

test("a peer that asks and does not read is let go before its answers fill the memory", () => {
  const end = http2End("server", { limits: { outputBytes: 10_000, pings: { burst: 1e6, perSecond: 1e6 } } });
  end.connection.receive(preface, 0);
  end.connection.receive(frame(settings, 0, 0), 0);
  for (let i = 0; i < 1_000; i++) end.connection.receive(frame(ping, 0, 0, Buffer.alloc(8)), 0);
  expect(end.told.take().at(-1)).toBe("failed ENHANCE_YOUR_CALM outputBytes");
  expect(end.connection.take()?.length).toBeLessThan(11_000);
});

test("bodies that wait are bounded, over all streams", () => {
  const { client, server, settle } = http2Pair({ server: { limits: { queuedBytes: 500_000 } } });
  const request = [":method", "GET", ":scheme", "http", ":path", "/"];
  for (let i = 0; i < 10; i++) client.connection.openStream(request, true);
  settle();
  for (const stream of server.told.streams.values()) {
    server.connection.sendHeaders(stream, [":status", "200"], false);
    server.connection.sendData(stream, Buffer.alloc(400_000), false);
  }
  expect(server.told.take().filter((line) => line.includes("queuedBytes")).length).toBeGreaterThan(5);
  expect(server.connection.streamCount).toBeLessThan(5);
});

test("what takes too long is named: greeting, acknowledgement, a half frame, a window that stays shut, and idleness", () => {
  const silent = http2End("server");
  silent.connection.tick(10_001);
  expect(silent.told.take()).toEqual(["failed SETTINGS_TIMEOUT handshakeMs"]);

  const deaf = http2End("server");
  deaf.connection.receive(Buffer.concat([preface, frame(settings, 0, 0)]), 0);
  deaf.connection.tick(10_001);
  expect(deaf.told.take()).toEqual(["failed SETTINGS_TIMEOUT settingsAckMs"]);

  const busy = underAttack("server");
  busy.send(open(1));
  let body = Buffer.alloc(0);
  for (let second = 0; second < 100; second++) {
    const bytes = Buffer.concat([body, frame(data, 0, 1, [1, 2, 3])]);
    busy.send(bytes.subarray(0, -1), second * 1_000); // every piece ends within a frame
    busy.connection.tick(second * 1_000);
    body = bytes.subarray(-1);
  }
  expect(busy.connection.isOver).toBe(false);

  const slow = underAttack("server");
  slow.send(frame(headers, 0, 1, requestBlock), 1_000);
  for (let second = 2; second < 31; second++) slow.send(frame(continuation, 0, 1, [0x84]), second * 1_000);
  slow.connection.tick(31_001);
  expect(slow.told.take()).toEqual(["failed ENHANCE_YOUR_CALM partialMs"]);

  const stalled = underAttack("server", { limits: { stallMs: 60_000 } });
  stalled.send(open(1, Flag.endStream));
  stalled.connection.sendHeaders(stalled.told.streams.get(1) as Stream, [":status", "200"], false);
  stalled.connection.sendData(stalled.told.streams.get(1) as Stream, Buffer.alloc(100_000), true);
  stalled.send([]);
  stalled.told.take();
  stalled.connection.tick(60_001);
  expect(stalled.told.take()).toEqual(["fault 1 ENHANCE_YOUR_CALM stallMs", "reset 1 ENHANCE_YOUR_CALM by fault"]);

  const idle = underAttack("server");
  idle.connection.tick(300_001);
  expect(idle.told.take()).toEqual(["failed NO_ERROR idleMs"]);
});

test.each([
  ["a first frame other than SETTINGS", "PROTOCOL_ERROR", [frame(ping, 0, 0, Buffer.alloc(8))]],
  ["SETTINGS that only acknowledge", "PROTOCOL_ERROR", [frame(settings, 1, 0)]],
])("%s is refused", (_name, code, frames) => {
  const end = http2End("client");
  for (const bytes of frames) end.connection.receive(bytes, 0);
  expect(end.told.take()).toEqual([`failed ${code}`]);
});

test("what is not HTTP/2 is refused at its first wrong byte", () => {
  const end = http2End("server");
  end.connection.receive(Buffer.from("PRI * HTTP/2.0\r\n\r\nX"), 0);
  expect(end.told.take()).toEqual(["failed PROTOCOL_ERROR"]);
});

test.each<[string, string, Buffer]>([
  ["DATA on stream 0", "PROTOCOL_ERROR", frame(data, 0, 0, [1])],
  ["HEADERS on stream 0", "PROTOCOL_ERROR", open(0)],
  ["HEADERS on an even stream", "PROTOCOL_ERROR", open(2)],
  ["HEADERS that depend on themselves", "PROTOCOL_ERROR", frame(headers, 0x24, 1, [0, 0, 0, 1, 0, ...requestBlock])],
  ["padding as long as the payload", "PROTOCOL_ERROR", frame(headers, 0xc, 1, [9, 0x82])],
  ["padding without its length", "PROTOCOL_ERROR", frame(headers, 0xc, 1, [])],
  ["RST_STREAM on stream 0", "PROTOCOL_ERROR", frame(rstStream, 0, 0, word(0))],
  ["RST_STREAM of three bytes", "FRAME_SIZE_ERROR", frame(rstStream, 0, 1, [0, 0, 0])],
  ["SETTINGS on a stream", "PROTOCOL_ERROR", frame(settings, 0, 1)],
  ["SETTINGS of five bytes", "FRAME_SIZE_ERROR", frame(settings, 0, 0, [0, 1, 0, 0, 0])],
  ["an acknowledgement with payload", "FRAME_SIZE_ERROR", frame(settings, 1, 0, [0, 1, 0, 0, 0, 0])],
  ["an acknowledgement of nothing", "PROTOCOL_ERROR", frame(settings, 1, 0)],
  ["push that is neither on nor off", "PROTOCOL_ERROR", frame(settings, 0, 0, [0, 2, 0, 0, 0, 2])],
  ["a window above 2^31-1", "FLOW_CONTROL_ERROR", frame(settings, 0, 0, [0, 4, 0x80, 0, 0, 0])],
  ["frames below 16,384 bytes", "PROTOCOL_ERROR", frame(settings, 0, 0, [0, 5, 0, 0, 0x3f, 0xff])],
  ["PING on a stream", "PROTOCOL_ERROR", frame(ping, 0, 1, Buffer.alloc(8))],
  ["PING of seven bytes", "FRAME_SIZE_ERROR", frame(ping, 0, 0, Buffer.alloc(7))],
  ["GOAWAY on a stream", "PROTOCOL_ERROR", frame(goAway, 0, 1, Buffer.alloc(8))],
  ["GOAWAY of seven bytes", "FRAME_SIZE_ERROR", frame(goAway, 0, 0, Buffer.alloc(7))],
  ["WINDOW_UPDATE by nothing", "PROTOCOL_ERROR", frame(windowUpdate, 0, 0, word(0))],
  ["WINDOW_UPDATE of three bytes", "FRAME_SIZE_ERROR", frame(windowUpdate, 0, 0, [0, 0, 1])],
  ["a frame above the largest", "FRAME_SIZE_ERROR", frame(data, 0, 1, Buffer.alloc(16_385))],
  ["a block that cannot be read", "COMPRESSION_ERROR", frame(headers, 4, 1, [0x80])],
])("%s ends the connection", (_name, code, bytes) => {
  expect(underAttack("server").send(bytes)).toEqual([`goAway 0 ${code}`]);
});

test("nothing may come between the pieces of a header block", () => {
  const begin = frame(headers, 0, 1, requestBlock);
  for (const bytes of [frame(ping, 0, 0, Buffer.alloc(8)), frame(0x77, 0, 0), frame(continuation, 4, 3), open(1)]) {
    expect(underAttack("server").send([begin, bytes])).toEqual(["goAway 0 PROTOCOL_ERROR"]);
  }
  expect(underAttack("server").send([begin, frame(continuation, 4, 1)])).toEqual([]);
});

test("a meter refills with time and with good behaviour, never above its burst", () => {
  const meter = new Meter({ burst: 3, perSecond: 2 }, 0);
  const taken = (nowMs: number) => [0, 0, 0, 0].filter(() => meter.take(nowMs)).length;
  expect([taken(0), taken(0), taken(1_000), taken(100_000)]).toEqual([3, 0, 2, 3]);
  meter.giveBack(100);
  expect(taken(100_000)).toBe(3);
});
