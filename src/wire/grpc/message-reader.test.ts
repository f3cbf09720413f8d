import { Code } from "@connectrpc/connect";
import fc from "fast-check";
import { expect, test } from "vitest";
import { MessageReader } from "./message-reader.ts";

type Got = readonly [text: string, isCompressed: boolean];

/** A reader of messages up to 1,000 bytes, and what it found. */
function reading(maxBytes = 1_000) {
  const got: Got[] = [];
  const sink = {
    message: (bytes: Uint8Array, isCompressed: boolean) =>
      got.push([Buffer.from(bytes).toString("latin1"), isCompressed]),
  };
  const reader = new MessageReader(sink, maxBytes);
  return { got, end: () => reader.end(), read: (piece: Buffer) => reader.read(piece, 0, piece.length) };
}

function framed(text: string, flags = 0): Buffer {
  const prefix = Buffer.from([flags, 0, 0, 0, 0]);
  prefix.writeUInt32BE(text.length, 1);
  return Buffer.concat([prefix, Buffer.from(text, "latin1")]);
}

const message = fc.tuple(fc.string({ unit: "binary-ascii", maxLength: 300 }), fc.boolean());

test("messages are the same however the body is cut", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(3_000)), (messages, cuts) => {
      const body = Buffer.concat(messages.map(([text, isCompressed]) => framed(text, isCompressed ? 1 : 0)));
      const { got, read, end } = reading();
      const ends = [...cuts.filter((cut) => cut < body.length), body.length].sort((a, b) => a - b);
      let at = 0;
      for (const to of ends) {
        read(body.subarray(at, to));
        at = to;
      }
      end();
      expect(got).toEqual(messages);
    }),
    { numRuns: 300, seed: 7 },
  );
});

test("a body by the byte is read too", () => {
  const { got, read, end } = reading();
  for (const byte of Buffer.concat([framed(""), framed("abc", 1), framed("x".repeat(500))])) read(Buffer.from([byte]));
  end();
  expect(got).toEqual([
    ["", false],
    ["abc", true],
    ["x".repeat(500), false],
  ]);
});

test("a message within one piece is not copied", () => {
  const piece = framed("abc");
  let seen: Uint8Array | undefined;
  const sink = {
    message(bytes: Uint8Array) {
      seen = bytes;
    },
  };
  new MessageReader(sink, 10).read(piece, 0, piece.length);
  expect(seen?.buffer).toBe(piece.buffer);
});

test.each([
  ["longer than what is taken", framed("x".repeat(1_001)), Code.ResourceExhausted],
  ["as long as a length can say", Buffer.from([0, 255, 255, 255, 255]), Code.ResourceExhausted],
  ["with flags that nobody knows", framed("abc", 2), Code.Internal],
])("a message %s is refused as soon as its prefix is there, in one piece or by the byte", (_, bytes, code) => {
  expect(() => reading().read(bytes.subarray(0, 5))).toThrow(expect.objectContaining({ code }));
  const { read } = reading();
  const byTheByte = () => {
    for (const byte of bytes.subarray(0, 5)) read(Buffer.from([byte]));
  };
  expect(byTheByte).toThrow(expect.objectContaining({ code }));
});

test.each([
  ["a prefix", framed("abc").subarray(0, 3), "the body ended within the prefix of a message: 3 bytes arrived"],
  ["a message", framed("abc").subarray(0, 7), "the body ended within a message of 3 bytes: 7 bytes arrived"],
])("a body that ends within %s is INVALID_ARGUMENT", (_, bytes, rawMessage) => {
  const { read, end } = reading();
  read(bytes);
  expect(end).toThrow(expect.objectContaining({ code: Code.InvalidArgument, rawMessage }));
});
