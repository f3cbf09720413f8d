import type { Dice } from "./dice.ts";
import type { Target } from "./target.ts";

/** Inputs never grow beyond this: what takes more to break is found by the tests of limits. */
const maxBytes = 16 * 1024;

type Change<T> = (subject: T, dice: Dice, other: T) => T;

/** Changes that know nothing of what the bytes mean. */
const changes: readonly Change<Buffer>[] = [
  (bytes, dice) => write(bytes, dice.below(bytes.length), (old) => old ^ (1 << dice.below(8))),
  (bytes, dice) => write(bytes, dice.below(bytes.length), () => dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)])),
  (bytes, dice) => write(bytes, dice.below(bytes.length), (old) => old + dice.pick([1, -1, 2, -2, 16])),
  (bytes, dice) => writeWord(bytes, dice),
  (bytes, dice) => insert(bytes, dice.below(bytes.length + 1), dice.bytes(1 + dice.small(64))),
  (bytes, dice) => drop(bytes, dice.below(bytes.length), 1 + dice.small(bytes.length)),
  (bytes, dice) => insert(bytes, dice.below(bytes.length + 1), range(bytes, dice)),
  (bytes, dice, other) => insert(bytes, dice.below(bytes.length + 1), range(other, dice)),
  (bytes, dice) => bytes.subarray(0, dice.below(bytes.length)),
];

/** Changes in the order and number of parts. */
const moves: readonly Change<Buffer[]>[] = [
  (parts, dice) => parts.toSpliced(dice.below(parts.length), 1 + dice.small(4)),
  (parts, dice) => parts.toSpliced(dice.below(parts.length + 1), 0, dice.pick(parts)),
  (parts, dice) =>
    parts.toSpliced(dice.below(parts.length + 1), 0, ...new Array(dice.small(60)).fill(dice.pick(parts))),
  (parts, dice, others) => parts.toSpliced(dice.below(parts.length + 1), 0, ...run(others, dice)),
  (parts, dice, others) => [
    ...parts.slice(0, dice.below(parts.length + 1)),
    ...others.slice(dice.below(others.length)),
  ],
  (parts, dice) => {
    const [from, to] = [dice.below(parts.length), dice.below(parts.length)];
    return parts.toSpliced(from, 1).toSpliced(to, 0, parts[from] as Buffer);
  },
];

/** Something like `example`, and in places like `other`: one to a few changes away. */
export function mutate(target: Target, dice: Dice, { example, other }: { example: Buffer; other: Buffer }): Buffer {
  let bytes = example;
  for (let left = 1 + dice.small(8); left > 0; left--) {
    if (bytes.length === 0) bytes = dice.bytes(1 + dice.small(100));
    bytes =
      target.split === undefined || dice.chance(0.25)
        ? dice.pick(changes)(bytes, dice, other)
        : Buffer.concat(moveOrTwist(target, dice, { parts: target.split(bytes), others: target.split(other) }));
  }
  return bytes.subarray(0, maxBytes);
}

function moveOrTwist(target: Target, dice: Dice, { parts, others }: { parts: Buffer[]; others: Buffer[] }): Buffer[] {
  if (target.twist === undefined || dice.chance(0.4)) return dice.pick(moves)(parts, dice, others);
  const at = dice.below(parts.length);
  return parts.with(at, target.twist(parts[at] as Buffer, dice));
}

/** The same change within bytes whose meaning the caller keeps, such as the payload of a frame. */
export function scramble(bytes: Buffer, dice: Dice): Buffer {
  if (bytes.length === 0 || dice.chance(0.1)) return dice.bytes(dice.small(64));
  return dice.pick(changes)(bytes, dice, bytes);
}

function write(bytes: Buffer, at: number, value: (old: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value(copy[at] as number);
  return copy;
}

function writeWord(bytes: Buffer, dice: Dice): Buffer {
  if (bytes.length < 4) return Buffer.concat([bytes, dice.bytes(4)]);
  const copy = Buffer.from(bytes);
  copy.writeUInt32BE(dice.edge(), dice.below(bytes.length - 3));
  return copy;
}

const insert = (bytes: Buffer, at: number, more: Buffer) =>
  Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);

const drop = (bytes: Buffer, at: number, count: number) =>
  Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)]);

function range(bytes: Buffer, dice: Dice): Buffer {
  const start = dice.below(bytes.length + 1);
  return bytes.subarray(start, start + 1 + dice.small(200));
}

function run(parts: Buffer[], dice: Dice): Buffer[] {
  const start = dice.below(parts.length);
  return parts.slice(start, start + 1 + dice.small(6));
}
