import { expect, test } from "vitest";
import { seededRandom } from "../base/random.ts";
import { frame } from "../testing/http2-frames.ts";
import { FrameReader } from "./frame.ts";
import { Output } from "./output.ts";

/** A reader that writes down what it reads. */
function reading() {
  const lines: string[] = [];
  const reader = new FrameReader({
    frame: (type, flags, id, bytes, start, end) =>
      lines.push(`${type} ${flags} ${id} ${bytes.toString("hex", start, end)}`),
  });
  return { reader, lines };
}

const frames = Buffer.concat([
  ...[frame(0, 1, 1, [1, 2, 3]), frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]), frame(4, 1, 0)],
  ...[frame(0x42, 0xff, 0x7fffffff, Buffer.alloc(300, 7)), frame(4, 0, 0)],
]);

test("frames are the same wherever the bytes are cut", () => {
  const whole = reading();
  whole.reader.read(frames, 0);
  expect(whole.lines).toHaveLength(5);
  for (let first = 0; first <= frames.length; first++) {
    for (const second of [first, first + 1, first + 8, frames.length]) {
      const cut = reading();
      for (const piece of [frames.subarray(0, first), frames.subarray(first, second), frames.subarray(second)]) {
        cut.reader.read(piece, 0);
      }
      expect(cut.lines).toEqual(whole.lines);
      expect(cut.reader.isPartial).toBe(false);
    }
  }
});

test("a frame that comes byte by byte is put together", () => {
  const { reader, lines } = reading();
  for (const byte of frames) reader.read(Buffer.of(byte), 0);
  expect(lines).toHaveLength(5);
});

test("payloads are views into what came in one piece, and their own bytes where it did not", () => {
  const views: Buffer[] = [];
  const reader = new FrameReader({ frame: (_t, _f, _i, bytes) => views.push(bytes) });
  const bytes = frame(0, 0, 1, [1, 2, 3]);
  reader.read(bytes, 0);
  expect(views[0]).toBe(bytes);
  const first = Buffer.from(bytes.subarray(0, 10));
  reader.read(first, 0);
  reader.read(bytes.subarray(10), 0);
  first.fill(0);
  expect(views[1]).toEqual(Buffer.of(1, 2, 3));
});

test("a frame above the limit is refused by its head alone, and the reserved bit is nobody's", () => {
  const { reader, lines } = reading();
  reader.read(frame(6, 0, 0x80000001), 0);
  expect(lines).toEqual(["6 0 1 "]);
  expect(() => reader.read(Buffer.from("004001000000000001", "hex"), 0)).toThrow("FRAME_SIZE_ERROR");
});

test("what is written is read back, and no piece that was taken is written again", () => {
  const random = seededRandom(5);
  const output = new Output(() => {});
  const { reader, lines } = reading();
  const expected: string[] = [];
  const taken: { bytes: Buffer; copy: Buffer }[] = [];
  for (let i = 0; i < 2_000; i++) {
    const [id, payload] = [Math.floor(random() * 2 ** 31), Buffer.alloc(random() * 400, i)];
    output.data(id, payload, 0, payload.length, i % 2 === 0);
    output.windowUpdate(id, i + 1);
    output.settings([4, i, 0xff, 2 ** 32 - 1]);
    output.goAway(id, 11, "why");
    expected.push(
      `0 ${i % 2 === 0 ? 1 : 0} ${id} ${payload.toString("hex")}`,
      `8 0 ${id} ${(i + 1).toString(16).padStart(8, "0")}`,
      `4 0 0 0004${i.toString(16).padStart(8, "0")}00ffffffffff`,
      `7 0 0 ${id.toString(16).padStart(8, "0")}0000000b776879`,
    );
    const bytes = random() < 0.1 ? output.take() : undefined;
    if (bytes !== undefined) taken.push({ bytes, copy: Buffer.from(bytes) });
  }
  const rest = output.take() ?? Buffer.alloc(0);
  for (const { bytes, copy } of [...taken, { bytes: rest, copy: rest }]) {
    expect(bytes.equals(copy)).toBe(true);
    reader.read(bytes, 0);
  }
  expect(lines).toEqual(expected);
});
