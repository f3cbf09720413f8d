import { expect, test } from "vitest";
import { type Random, seededRandom } from "../base/random.ts";
import { frame, requestBlock, underAttack } from "../testing/http2-frames.ts";
import { carry, type Http2End, http2End, http2Pair } from "../testing/http2-pair.ts";
import { ErrorCode } from "./errors.ts";
import { Flag, FrameType, preface } from "./frame.ts";
import type { Stream } from "./stream.ts";

const request = Object.freeze([":method", "POST", ":scheme", "http", ":path", "/a.B/C", "te", "trailers"]);

/** A body that names its stream in every byte, so that none can stray unseen. */
const bodyOf = (id: number, length: number) => Buffer.alloc(length, id & 0xff);

/** What both ends of one exchange intend, and how far they have come. */
interface Exchange {
  readonly stream: Stream;
  asks: number[];
  answers: number[];
  isReset: boolean;
}

/** Moves one exchange on by one random command. */
function act(random: Random, exchange: Exchange, { client, server }: { client: Http2End; server: Http2End }): void {
  const theirs = server.told.streams.get(exchange.stream.id);
  const size = exchange.asks.shift();
  if (random() < 0.01) {
    exchange.isReset = true;
    if (theirs === undefined || random() < 0.5) client.connection.resetStream(exchange.stream, ErrorCode.cancel);
    else server.connection.resetStream(theirs, ErrorCode.internalError);
  } else if (size !== undefined) {
    client.connection.sendData(exchange.stream, bodyOf(exchange.stream.id, size), exchange.asks.length === 0);
  } else if (theirs) {
    const answer = exchange.answers.shift();
    if (answer === undefined) return server.connection.sendTrailers(theirs, ["grpc-status", "0"]);
    if (answer < 0) server.connection.sendHeaders(theirs, [":status", "200"], false, ["n", String(random())]);
    else server.connection.sendData(theirs, bodyOf(theirs.id, answer), false);
  }
}

/** Cuts bytes into pieces of any length. */
function shredder(random: Random) {
  return (bytes: Buffer) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = random() < 0.5 ? 1 + Math.floor(random() * 30) : Math.floor(random() * 60_000) + 1;
      pieces.push(Buffer.from(bytes.subarray(at, at + length))); // as from a socket: not the sender's own memory
      at += length;
    }
    return pieces;
  };
}

test.each(Array.from({ length: 25 }, (_, i) => i + 1))(
  "whatever the order of commands and cuts, every byte arrives where it belongs (seed %i)",
  (seed) => {
    const random = seededRandom(seed);
    const pair = http2Pair({ server: { initialWindowBytes: 20_000 }, client: { initialWindowBytes: 70_000 } });
    const { client, server } = pair;
    const exchanges: Exchange[] = [];
    const totals = new Map<number, [number, number]>();
    const sizes = () => Array.from({ length: 1 + Math.floor(random() * 4) }, () => Math.floor(random() ** 4 * 200_000));
    const travel = { cut: shredder(random) };
    const consumeSome = ({ connection, told }: Http2End, all: boolean) => {
      for (const stream of told.streams.values()) {
        connection.consumed(stream, all ? stream.held : Math.floor(random() * stream.held));
      }
    };
    for (let step = 0; step < 1_500; step++) {
      const dice = random();
      if (dice < 0.05 && exchanges.length < 60) {
        const stream = client.connection.openStream(request, false, ["grpc-timeout", `${step}m`]) as Stream;
        const [asks, answers] = [sizes(), sizes()];
        const sum = (of: number[]) => of.reduce((a, b) => a + b, 0);
        totals.set(stream.id, [sum(asks), sum(answers)]);
        exchanges.push({ stream, asks, answers: [-1, ...answers], isReset: false });
      } else if (dice < 0.7 && exchanges.length > 0) {
        act(random, exchanges[Math.floor(random() * exchanges.length)] as Exchange, pair);
      } else if (dice < 0.8) carry(client, server, travel);
      else if (dice < 0.9) carry(server, client, travel);
      else consumeSome(random() < 0.5 ? client : server, false);
    }
    for (let round = 0; round < 4_000 && exchanges.some((e) => !e.isReset && e.stream.state !== 4); round++) {
      for (const exchange of exchanges) if (!exchange.isReset) act(() => 0.5, exchange, pair);
      pair.settle(travel);
      consumeSome(client, true);
      consumeSome(server, true);
    }
    for (const { stream, isReset } of exchanges) {
      const [asked, answered] = totals.get(stream.id) as [number, number];
      const [there, back] = [server.told.body(stream.id), client.told.body(stream.id)];
      expect(there.replaceAll(String.fromCharCode(stream.id & 0xff), "")).toBe("");
      expect(back.replaceAll(String.fromCharCode(stream.id & 0xff), "")).toBe("");
      if (!isReset) expect([there.length, back.length]).toEqual([asked, answered]);
    }
    expect([client.connection.isOver, server.connection.isOver]).toEqual([false, false]);
    expect([client.connection.streamCount, server.connection.streamCount]).toEqual([0, 0]);
  },
);

test("the same bytes, cut at every position, give the same events", () => {
  const bytes = Buffer.concat([
    ...[preface, frame(FrameType.settings, 0, 0, [0, 4, 0, 0, 0, 9]), frame(FrameType.settings, Flag.ack, 0)],
    frame(FrameType.headers, Flag.padded, 1, [4, ...requestBlock.subarray(0, 5), 0, 0, 0, 0]),
    frame(FrameType.continuation, Flag.endHeaders, 1, requestBlock.subarray(5)),
    ...[frame(FrameType.data, 0, 1, Buffer.from("hello")), frame(0x55, 7, 3, Buffer.alloc(20))],
    frame(FrameType.data, Flag.endStream | Flag.padded, 1, [2, 1, 2, 3, 0, 0]),
    frame(FrameType.headers, Flag.endHeaders | Flag.endStream, 3, requestBlock),
    ...[frame(FrameType.rstStream, 0, 1, [0, 0, 0, 8]), frame(FrameType.goAway, 0, 0, Buffer.alloc(12))],
    frame(FrameType.headers, Flag.endHeaders, 5, [0x80]),
  ]);
  const told = (pieces: Buffer[]) => {
    const { connection, told } = http2End("server");
    for (const piece of pieces) connection.receive(piece, 0);
    return [...told.take(), connection.take()?.toString("hex")];
  };
  const whole = told([bytes]);
  expect(whole.at(-2)).toBe("failed COMPRESSION_ERROR");
  expect(whole).toHaveLength(9);
  for (let at = 0; at <= bytes.length; at++) expect(told([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole);
  expect(told([...bytes].map((byte) => Buffer.of(byte)))).toEqual(whole);
});

test("bytes of any kind neither crash nor hang it, and what it holds stays small", () => {
  const random = seededRandom(99);
  for (let round = 0; round < 2_000; round++) {
    const end = underAttack(random() < 0.5 ? "client" : "server");
    for (let i = 0; i < 30 && !end.connection.isOver; i++) {
      const payload = Buffer.from(Array.from({ length: random() * 30 }, () => random() * 256));
      const [type, flags, id] = [Math.floor(random() * 11), Math.floor(random() * 64), Math.floor(random() * 6)];
      const body = random() < 0.3 ? Buffer.concat([requestBlock, payload]) : payload;
      end.connection.receive(frame(type, flags, id, body), i);
    }
    expect(end.connection.take()?.length ?? 0).toBeLessThan(10_000);
  }
});
