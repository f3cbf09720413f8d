import fc from "fast-check";
import { expect, test } from "vitest";
import { Connection } from "../../http2/connection.ts";
import type { Stream } from "../../http2/stream.ts";
import { frame } from "../../testing/http2-frames.ts";
import { carry, http2Pair } from "../../testing/http2-pair.ts";
import { hpackRelay, huffman } from "./hpack.ts";
import { readFrames } from "./http2-frames.ts";

/** The same runs each time: what is new is looked for by `make fuzz`. */
const runs = { seed: 1, numRuns: 300 };
const latin1 = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const visible = (maxLength: number) =>
  fc.string({ maxLength, unit: fc.constantFrom(..."abcxyz019 ~éÿ\t,=") }).map((text) => text.trim());

const name = fc.oneof(
  fc.constantFrom("a", ":path", ":status", "cookie", "content-type", "grpc-timeout", "authorization"),
  fc.stringMatching(/^x-[a-z0-9_.-]{0,30}$/),
);
const list = fc.array(fc.tuple(name, fc.oneof(fc.constant("same"), visible(60), latin1(60), visible(1_500))), {
  maxLength: 15,
});

test("any lists of any fields, one after the other, arrive at the other end as they were sent", () => {
  const property = fc.property(fc.array(list, { maxLength: 30 }), (lists) => {
    const relay = hpackRelay();
    for (const fields of lists) relay(fields.flat());
  });
  fc.assert(property, runs);
});

test("any text comes back from Huffman code as it went in, and any code that is read is written the same", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => huffman.run(Buffer.from(bytes), () => {}));
  fc.assert(property, { ...runs, numRuns: 3_000 });
});

test("any frames, cut anywhere, are read as they were written", () => {
  const any = fc.record({
    ...{ type: fc.nat(255), flags: fc.nat(255), id: fc.nat(2 ** 31 - 1) },
    payload: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 16_380, maxLength: 16_384 })),
  });
  const property = fc.property(
    fc.array(any, { maxLength: 8 }),
    fc.array(fc.nat(200), { maxLength: 40 }),
    (frames, gaps) => {
      const written = frames.map(({ type, flags, id, payload }) => frame(type, flags, id, payload));
      const pieces: Buffer[] = [];
      let rest = Buffer.concat(written);
      for (const gap of gaps) {
        pieces.push(rest.subarray(0, gap));
        rest = rest.subarray(gap);
      }
      expect(readFrames([...pieces, rest])).toEqual({ frames: written, end: "whole" });
    },
  );
  fc.assert(property, { ...runs, numRuns: 100 });
});

test("any message arrives whole: fields, body in any pieces, trailers, through windows of any size", () => {
  const fields = fc
    .array(fc.tuple(fc.stringMatching(/^x-[a-z]{1,8}$/), visible(40)), { maxLength: 6 })
    .map((some) => some.flat());
  const message = fc.record({
    fields,
    pieces: fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 10 }),
    trailers: fields,
    windowBytes: fc.integer({ min: 1, max: 20_000 }),
  });
  const property = fc.property(message, ({ fields: head, pieces, trailers, windowBytes }) => {
    const { client, server } = http2Pair({ server: { initialWindowBytes: windowBytes } });
    const request = [":method", "POST", ":scheme", "http", ":path", "/"];
    const stream = client.connection.openStream(request, false, head) as Stream;
    for (const piece of pieces) client.connection.sendData(stream, piece, false);
    client.connection.sendTrailers(stream, trailers);
    server.told.handlers.data = (theirs, _bytes, start, end) => server.connection.consumed(theirs, end - start);
    while (carry(client, server) || carry(server, client));
    const body = Buffer.concat(pieces).toString("latin1");
    expect(server.told.body(stream.id)).toBe(body);
    const lines = server.told.lines.filter((line) => !line.startsWith("data"));
    expect(lines).toEqual([`headers 1 ${[...request, ...head].join(",")}`, `trailers 1 ${trailers.join(",")}`]);
  });
  fc.assert(property, runs);
});

test("whatever a connection is given, it throws nothing and says at most once that it is over", () => {
  const property = fc.property(
    fc.constantFrom("client", "server"),
    fc.uint8Array({ maxLength: 400 }),
    (role, bytes) => {
      let failures = 0;
      const quiet = new Proxy({}, { get: (_, event) => () => void (event === "failed" && failures++) });
      const connection = new Connection({ role, events: quiet as never, nowMs: 0 });
      connection.receive(bytes, 0);
      connection.receive(bytes, 0);
      expect(failures).toBe(connection.isOver ? 1 : 0);
    },
  );
  fc.assert(property, { ...runs, numRuns: 2_000 });
});
