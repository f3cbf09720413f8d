import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { UnfinishedMessage } from "./unfinished-message.ts";

/** A message of so many bytes behind its prefix. */
function message(length: number): Uint8Array {
  const bytes = Buffer.alloc(5 + length, 255);
  bytes.writeUInt8(0);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

test("whatever pieces messages come in, what is held is what has arrived of the last one", () => {
  const random = seededRandom(3);
  const lengths = [0, 1, 300, 0, 70_000, 5, 0, 256, 65_536];
  const all = Buffer.concat(lengths.map(message));
  let sum = 0;
  const ends = lengths.map((length) => (sum += 5 + length));
  for (let round = 0; round < 50; round++) {
    const unfinished = new UnfinishedMessage();
    for (let at = 0; at < all.length; ) {
      const end = Math.min(all.length, at + 1 + Math.floor(random() * (round % 2 === 0 ? 7 : 100_000)));
      const held = unfinished.after(all.subarray(at, end));
      const lastEnd = Math.max(0, ...ends.filter((sum) => sum <= end));
      if (held !== end - lastEnd) expect([end, held]).toEqual([end, end - lastEnd]);
      at = end;
    }
    expect(unfinished.after(new Uint8Array())).toBe(0);
  }
});
