import { expect, test } from "vitest";
import { frame, requestBlock, underAttack, word } from "../testing/http2-frames.ts";
import { type Http2End, http2Pair } from "../testing/http2-pair.ts";
import { ErrorCode } from "./errors.ts";
import { Flag, FrameReader, FrameType } from "./frame.ts";
import type { Stream } from "./stream.ts";

const request = [":method", "POST", ":scheme", "http", ":path", "/a.B/C", ":authority", "here", "te", "trailers"];
const response = [":status", "200", "content-type", "application/grpc"];

/** A pair with one stream open, as both ends see it. */
function openPair(options: Parameters<typeof http2Pair>[0] = {}) {
  const pair = http2Pair(options);
  const mine = pair.client.connection.openStream(request, false) as Stream;
  pair.settle();
  const theirs = pair.server.told.streams.get(mine.id) as Stream;
  pair.server.told.take();
  return { ...pair, mine, theirs };
}

test("a call goes out with a body and comes back with headers, a body and trailers, and is over on both ends", () => {
  const { client, server, settle } = http2Pair();
  const stream = client.connection.openStream(request, false) as Stream;
  expect(client.connection.sendData(stream, Buffer.from("question"), true)).toBe(true);
  settle();
  const theirs = server.told.streams.get(1) as Stream;
  expect(server.told.take()).toEqual([`headers 1 ${request.join(",")}`, "data 1 8 end"]);
  server.connection.sendHeaders(theirs, response, false);
  server.connection.sendData(theirs, Buffer.from("answer"), false);
  server.connection.sendTrailers(theirs, ["grpc-status", "0"]);
  settle();
  expect(server.told.take()).toEqual(["closed 1"]);
  expect(client.told.take()).toEqual([
    ...[`headers 1 ${response.join(",")}`, "data 1 6", "trailers 1 grpc-status,0", "closed 1"],
  ]);
  expect(client.told.body(1)).toBe("answer");
  expect([client.connection.streamCount, server.connection.streamCount]).toEqual([0, 0]);
});

test("all frames of a turn leave as one piece, told once", () => {
  const { client } = http2Pair();
  let told = 0;
  client.told.handlers.output = () => told++;
  for (let i = 0; i < 5; i++) client.connection.openStream(request, true);
  expect(told).toBe(1);
  expect(client.connection.take()?.length).toBeGreaterThan(5 * 9);
  expect(client.connection.take()).toBeUndefined();
});

test("small pieces of a turn leave as one frame, within the frame's limit and with the end of the stream", () => {
  const { client, server, settle, mine } = openPair();
  const other = client.connection.openStream(request, false) as Stream;
  for (let i = 0; i < 1_000; i++) client.connection.sendData(mine, Buffer.from(`${i % 10}`.repeat(20)), false);
  client.connection.sendData(other, Buffer.from("between"), false);
  client.connection.sendData(mine, Buffer.from("a"), false);
  client.connection.sendData(mine, Buffer.from("b"), true);
  settle();
  const told = server.told.take().filter((line) => line.startsWith("data"));
  expect(told).toEqual(["data 1 16380", "data 1 3620", "data 3 7", "data 1 2 end"]);
  expect(server.told.body(1)).toBe(`${Array.from({ length: 1_000 }, (_, i) => `${i % 10}`.repeat(20)).join("")}ab`);
});

test("a body waits for the peer's windows, goes on as they open, and tells when it has left", () => {
  const { client, server, settle, mine, theirs } = openPair({ server: { initialWindowBytes: 100_000 } });
  expect(client.connection.sendData(mine, Buffer.alloc(1_000_000, "x"), false)).toBe(false);
  expect(client.connection.sendData(mine, Buffer.alloc(10, "y"), false)).toBe(false);
  client.connection.sendTrailers(mine, ["done", "yes"]);
  settle();
  expect(server.told.body(1).length).toBe(100_000);
  while (server.told.body(1).length < 1_000_010) {
    server.connection.consumed(theirs, 50_000);
    settle();
  }
  expect(server.told.body(1)).toBe("x".repeat(1_000_000) + "y".repeat(10));
  expect(server.told.take().at(-1)).toBe("trailers 1 done,yes");
});

test("who was told to wait is told when to go on", () => {
  const { client, server, settle, mine, theirs } = openPair({ server: { initialWindowBytes: 1_000 } });
  expect(client.connection.sendData(mine, Buffer.alloc(1_500), false)).toBe(false);
  settle();
  expect(client.told.take()).toEqual([]);
  server.connection.consumed(theirs, 1_000);
  settle();
  expect(client.told.take()).toEqual(["writable 1"]);
  expect(client.connection.sendData(mine, Buffer.alloc(100), true)).toBe(true);
});

test("streams that wait for the connection's window take turns", () => {
  const pair = http2Pair({ server: { initialWindowBytes: 65_535 } });
  const streams = [0, 1, 2].map(() => pair.client.connection.openStream(request, false) as Stream);
  for (const stream of streams) pair.client.connection.sendData(stream, Buffer.alloc(500_000), true);
  for (let turn = 0; turn < 100; turn++) {
    pair.settle();
    for (const stream of pair.server.told.streams.values()) pair.server.connection.consumed(stream, stream.held);
  }
  expect(streams.map((stream) => pair.server.told.body(stream.id).length)).toEqual([500_000, 500_000, 500_000]);
});

test("a peer that makes its streams' windows smaller is owed what was sent already", () => {
  const { client, server, settle, mine, theirs } = openPair({ server: { initialWindowBytes: 50_000 } });
  client.connection.sendData(mine, Buffer.alloc(40_000), false);
  settle();
  server.connection.updateSettings({ initialWindowBytes: 10_000 });
  settle();
  expect(mine.sendWindow).toBe(-30_000);
  client.connection.sendData(mine, Buffer.alloc(1), true);
  settle();
  expect(server.told.body(1).length).toBe(40_000);
  server.connection.consumed(theirs, 40_000);
  settle();
  expect(server.told.body(1).length).toBe(40_001);
});

test("a change of our window holds for open streams too, from its acknowledgement on", () => {
  const { client, server, settle, mine, theirs } = openPair({ server: { initialWindowBytes: 100_000 } });
  server.connection.updateSettings({ initialWindowBytes: 200_000 });
  settle();
  client.connection.sendData(mine, Buffer.alloc(200_000), false);
  settle();
  expect(server.told.body(1).length).toBe(200_000);
  expect([theirs.receiveWindow, theirs.receiveTarget]).toEqual([0, 200_000]);
});

/** How many bytes wait to be taken. */
function takenBytes({ connection }: Http2End): number {
  let bytes = 0;
  for (let piece = connection.take(); piece !== undefined; piece = connection.take()) bytes += piece.length;
  return bytes;
}

test("a window that opens is told as something to take, for a stream and for the connection", () => {
  for (const target of [0, 1]) {
    const end = underAttack("client");
    const stream = end.connection.openStream(request, false) as Stream;
    end.connection.sendData(stream, Buffer.alloc(100_000), true);
    end.send([]);
    end.send(frame(FrameType.windowUpdate, 0, 1 - target, word(50_000)));
    let told = 0;
    end.told.handlers.output = () => told++;
    end.connection.receive(frame(FrameType.windowUpdate, 0, target, word(50_000)), 0);
    expect(told).toBe(1);
    expect(takenBytes(end)).toBe(100_000 - 65_535 + 3 * 9);
  }
});

test("padding is given back at once, for no application will consume it", () => {
  const end = underAttack("server", { initialWindowBytes: 1_000, limits: { streamWindowBytes: 1_000 } });
  end.send(frame(FrameType.headers, Flag.endHeaders, 1, requestBlock));
  const padded = frame(FrameType.data, Flag.padded, 1, [255, 7, ...Buffer.alloc(255)]);
  for (let i = 0; i < 50; i++) {
    end.send(padded);
    end.connection.consumed(end.told.streams.get(1) as Stream, 1);
  }
  expect(end.told.take().filter((line) => line.startsWith("data 1 1"))).toHaveLength(50);
});

test("a stream that has ended gets no more window, and consuming twice opens none", () => {
  const end = underAttack("server", { initialWindowBytes: 65_535, limits: { streamWindowBytes: 65_535 } });
  const open = frame(FrameType.headers, Flag.endHeaders, 1, requestBlock);
  const body = [0, 0, Flag.endStream].map((flags) => frame(FrameType.data, flags, 1, Buffer.alloc(16_000)));
  end.send([open, ...body]);
  const stream = end.told.streams.get(1) as Stream;
  end.connection.consumed(stream, 48_000);
  end.connection.consumed(stream, 48_000);
  expect(end.send([])).toEqual([]);
  end.connection.resetStream(stream, ErrorCode.cancel);
  for (let i = 0; i < 10; i++) end.connection.consumed(stream, 48_000);
  expect(end.send([])).toEqual(["rstStream 1 CANCEL"]);
});

test("the connection's window is given back once for each byte, whoever consumed it, and for bytes that came too late", () => {
  const end = underAttack("server", { initialWindowBytes: 65_535, limits: { streamWindowBytes: 65_535 } });
  let [received, given] = [0, 0];
  const reader = new FrameReader({
    frame: (type, _flags, id, bytes, start) => {
      if (type === FrameType.windowUpdate && id === 0) given += bytes.readUInt32BE(start);
    },
  });
  for (let id = 1; id < 60; id += 2) {
    end.connection.receive(frame(FrameType.headers, Flag.endHeaders, id, requestBlock), 0);
    const stream = end.told.streams.get(id) as Stream;
    for (let i = 0; i < 6; i++, received += 15_000) {
      if (i === 4) end.connection.resetStream(stream, ErrorCode.cancel);
      end.connection.receive(frame(FrameType.data, 0, id, Buffer.alloc(15_000)), 0);
      if (i > 4) end.connection.consumed(stream, 60_000);
    }
    reader.read(end.connection.take() as Buffer, 0);
    expect(given).toBeLessThanOrEqual(received);
  }
  expect(end.connection.isOver).toBe(false);
  expect(received - given).toBeLessThan(131_072);
});

test("windows grow to what a round trip brings, up to their limit, and a slow reader's do not", () => {
  const limits = { streamWindowBytes: 300_000, connectionWindowBytes: 600_000 };
  const { client, server, settle, mine, theirs } = openPair({ server: { initialWindowBytes: 65_535, limits } });
  server.told.handlers.data = (stream, _bytes, start, end) => server.connection.consumed(stream, end - start);
  expect(theirs.receiveTarget).toBe(65_535);
  client.connection.sendData(mine, Buffer.alloc(3_000_000), true);
  settle();
  expect(server.told.body(1).length).toBe(3_000_000);
  expect(theirs.receiveTarget).toBeGreaterThan(65_535);
  expect(theirs.receiveTarget).toBeLessThanOrEqual(300_000);
});

test("a way that is short asks for ever fewer probes", () => {
  const { client, server, settle, mine } = openPair();
  server.told.handlers.data = (stream, _bytes, start, end) => server.connection.consumed(stream, end - start);
  let probes = 0;
  const cut = (bytes: Buffer) => {
    probes += bytes.includes("hdl-flow") ? 1 : 0;
    return [bytes];
  };
  for (let i = 0; i < 2_000; i++) {
    client.connection.sendData(mine, Buffer.alloc(16_000), false);
    settle({ cut }); // a round trip for each 16,000 bytes
  }
  expect(probes).toBeGreaterThan(2);
  expect(probes).toBeLessThan(20); // one to ask and one to answer, eight times or so for 32 MB
});

test("what a reset stream held is given back to the connection", () => {
  const { client, server, settle } = http2Pair({ server: { initialWindowBytes: 65_535 } });
  for (let i = 0; i < 20; i++) {
    const stream = client.connection.openStream(request, false) as Stream;
    client.connection.sendData(stream, Buffer.alloc(65_535), false);
    settle();
    expect(server.told.body(stream.id).length, `stream ${stream.id}`).toBe(65_535);
    if (i % 2) client.connection.resetStream(stream, ErrorCode.cancel);
    else server.connection.resetStream(server.told.streams.get(stream.id) as Stream, ErrorCode.cancel);
    settle();
  }
});

test("a reset ends a stream on both ends, and what crosses it on the way does no harm", () => {
  const { client, server, settle, mine, theirs } = openPair();
  client.connection.resetStream(mine, ErrorCode.cancel);
  server.connection.sendHeaders(theirs, response, false);
  server.connection.sendData(theirs, Buffer.from("late"), true);
  settle();
  expect(server.told.take()).toEqual(["reset 1 CANCEL by peer"]);
  expect(client.told.take()).toEqual([]);
  client.connection.sendData(mine, Buffer.from("nothing"), true);
  server.connection.sendTrailers(theirs, ["nothing", "either"]);
  expect([client.connection.take(), server.connection.take()]).toEqual([undefined, undefined]);
});

test("informational responses come before the final one", () => {
  const { client, server, settle, theirs } = openPair();
  server.connection.sendHeaders(theirs, [":status", "103", "link", "</x>"], false);
  server.connection.sendHeaders(theirs, [":status", "204"], true);
  settle();
  expect(client.told.take()).toEqual(["informational 1 :status,103,link,</x>", "headers 1 :status,204 end"]);
});

test("leaving takes two steps: new streams stop, those on their way are served, the rest are not processed", () => {
  const { client, server, settle } = http2Pair();
  const first = client.connection.openStream(request, false) as Stream;
  settle();
  server.connection.drain();
  const onItsWay = client.connection.openStream(request, false) as Stream;
  settle();
  expect(client.told.take()).toEqual([`goAway ${2 ** 31 - 1} NO_ERROR`]);
  expect(client.connection.openStream(request, true)).toBeUndefined();
  server.connection.goAway();
  settle();
  expect(client.told.take()).toEqual(["goAway 3 NO_ERROR"]);
  for (const { id } of [first, onItsWay]) {
    server.connection.sendHeaders(server.told.streams.get(id) as Stream, [":status", "200"], true);
  }
  settle();
  expect(client.told.take()).toEqual(["headers 1 :status,200 end", "headers 3 :status,200 end"]);
});

test("a stream that crosses the last GOAWAY is handed back as not processed", () => {
  const { client, server, settle } = http2Pair();
  const stream = client.connection.openStream(request, false) as Stream;
  server.connection.goAway();
  client.connection.sendData(stream, Buffer.from("x"), true);
  settle();
  expect(client.told.take()).toEqual(["goAway 0 NO_ERROR", "reset 1 NO_ERROR by peer unprocessed"]);
  expect(server.told.take()).toEqual([]);
  expect(server.connection.isOver).toBe(false);
});

test("a client opens as many streams as the server takes, and is told when there is room again", () => {
  const { client, server, settle } = http2Pair({ server: { limits: { concurrentStreams: 2 } } });
  const [first] = [client.connection.openStream(request, true), client.connection.openStream(request, true)];
  expect(client.connection.openStream(request, true)).toBeUndefined();
  settle();
  server.connection.sendHeaders(server.told.streams.get(first?.id ?? 0) as Stream, [":status", "200"], true);
  settle();
  expect(client.told.take()).toEqual(["headers 1 :status,200 end", "closed 1", "room"]);
  expect(client.connection.openStream(request, true)?.id).toBe(5);
});

test("a header block larger than a frame goes through CONTINUATION", () => {
  const { client, server, settle } = http2Pair();
  const long = Array.from({ length: 40 }, (_, i) => [`x-${i}`, "v".repeat(1_000 + i)]).flat();
  client.connection.openStream(request, true, long);
  settle();
  expect(server.told.take()).toEqual([`headers 1 ${[...request, ...long].join(",")} end`]);
});

test("a block of several frames stays whole where the buffer ends within it", () => {
  for (let length = 15_400; length < 15_900; length += 7) {
    const { client, server, settle } = http2Pair();
    const long = [0, 1, 2].flatMap((i) => [`x-${i}`, "v".repeat(16_300)]).concat("last", "w".repeat(length));
    client.connection.openStream(request, true, long);
    settle();
    expect(server.told.take()[0]?.length).toBeGreaterThan(64_000);
  }
});

test("fields that may not be sent throw where they are given, and the connection goes on as before", () => {
  const { client, server, settle } = http2Pair();
  const open = (more: string[]) => client.connection.openStream(request, true, more);
  expect(() => open(["a", "1", "x", "two\r\nlines: here"])).toThrow(TypeError);
  expect(() => open(["Upper", "case"])).toThrow(TypeError);
  expect(() => open(["big", "v".repeat(70_000)])).toThrow(RangeError);
  expect(() => open(Object.freeze(["a", "1", "x", "\u010a"]) as string[])).toThrow(TypeError);
  open(["a", "1"]);
  open(["a", "1"]);
  settle();
  expect(server.told.take()).toEqual([1, 3].map((id) => `headers ${id} ${[...request, "a", "1"].join(",")} end`));
});

test("a ping is answered with its own eight bytes", () => {
  const { client, settle } = http2Pair();
  client.connection.ping(Buffer.from("12345678"));
  settle();
  expect(client.told.take()).toEqual(["pong 12345678"]);
});

test("who closes in the middle of what arrives hears no more of it", () => {
  const { client, server } = http2Pair();
  client.connection.openStream(request, true);
  client.connection.openStream(request, true);
  server.told.handlers.headers = () => server.connection.close();
  server.connection.receive(client.connection.take() as Buffer, 0);
  expect(server.told.take()).toEqual([`headers 1 ${request.join(",")} end`, "reset 1 NO_ERROR by connection"]);
});

test("an application that throws ends the connection, and hears its own error", () => {
  const { client, server } = http2Pair();
  client.connection.openStream(request, true);
  server.told.handlers.headers = () => {
    throw new Error("mine");
  };
  expect(() => server.connection.receive(client.connection.take() as Buffer, 0)).toThrow("mine");
  expect(server.told.take().at(-1)).toBe("failed INTERNAL_ERROR");
});

test("closing ends every stream, once", () => {
  const { client, mine } = openPair();
  client.connection.close();
  client.connection.close();
  client.connection.sendData(mine, Buffer.alloc(1), true);
  expect(client.told.take()).toEqual(["reset 1 NO_ERROR by connection"]);
  expect(client.connection.isOver).toBe(true);
});
