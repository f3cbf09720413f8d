import { expect, test } from "vitest";
import { seededRandom } from "../base/random.ts";
import { BlockReader } from "./block-reader.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import { defaultLimits } from "./limits.ts";
import { Output } from "./output.ts";

const read = (reader: BlockReader, block: Buffer) => reader.read(block, 0, block.length);

test("a block that comes again is not read again", () => {
  const reader = new BlockReader(defaultLimits);
  const block = Buffer.from([0x82, 0x86, 0x84]);
  const first = read(reader, block);
  expect(read(reader, Buffer.from(block))).toBe(first);
});

test("a block that came before the table changed is read again, for it now says something else", () => {
  const reader = new BlockReader(defaultLimits);
  const newest = Buffer.of(0xbe);
  read(reader, Buffer.from("400161 0131".replace(" ", ""), "hex"));
  expect(read(reader, newest).fields).toEqual(["a", "1"]);
  expect(read(reader, newest).fields).toEqual(["a", "1"]);
  read(reader, Buffer.from("4001620132", "hex"));
  expect(read(reader, newest).fields).toEqual(["b", "2"]);
  const large = Buffer.concat([Buffer.from("4001637f8101", "hex"), Buffer.alloc(256, 0x33)]);
  read(reader, large); // too large to be remembered, and changes the table all the same
  expect(read(reader, newest).fields[0]).toBe("c");
  read(reader, Buffer.from("2082", "hex"));
  expect(() => read(reader, newest)).toThrow("COMPRESSION_ERROR");
});

test("what it gives is what a decoder without memory gives, whatever comes", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed);
    const [encoder, reader, plain] = [
      new HpackEncoder(),
      new BlockReader(defaultLimits),
      new HpackDecoder(defaultLimits),
    ];
    const output = new Output(() => {});
    const some = () =>
      Array.from({ length: random() * 4 }, () => [
        "abc"[Math.floor(random() * 3)] as string,
        `${Math.floor(random() * 3)}`,
      ]);
    for (let i = 0; i < 3_000; i++) {
      const isSteady = i % 1_000 < 500; // times of repetition, and times without
      encoder.encode(some().flat(), isSteady ? undefined : ["n", `${i}`], output);
      const block = output.take() ?? Buffer.alloc(0);
      expect(read(reader, block).fields).toEqual(plain.decode(block, 0, block.length));
    }
  }
});
