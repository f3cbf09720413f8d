import { preface } from "../../http2/frame.ts";
import type { Dice } from "./dice.ts";
import { scramble } from "./mutate.ts";

const headBytes = 9;

/** A frame as the targets' own reading sees it: nothing is shared with what is tried. */
export interface PlainFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** The preface, if there is one, and each frame; what is left over comes last. */
export function splitFrames(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let at = bytes.subarray(0, preface.length).equals(preface) ? preface.length : 0;
  if (at > 0) parts.push(bytes.subarray(0, at));
  while (at < bytes.length) {
    const length = bytes.length - at < headBytes ? bytes.length : headBytes + bytes.readUIntBE(at, 3);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  return parts;
}

/** The complete frames within `bytes`. */
export function plainFrames(bytes: Buffer): PlainFrame[] {
  const whole = splitFrames(bytes).filter((part) => part.length >= headBytes && !part.equals(preface));
  return whole.flatMap((part) => {
    if (part.length - headBytes < part.readUIntBE(0, 3)) return [];
    const id = part.readUInt32BE(5) & 0x7fffffff;
    return [{ type: part[3] as number, flags: part[4] as number, id, payload: part.subarray(headBytes) }];
  });
}

/** Another frame with a length that fits: its type, flags, stream or payload changed. */
export function twistFrame(part: Buffer, dice: Dice): Buffer {
  if (part.length < headBytes) return part;
  const head = Buffer.from(part.subarray(0, headBytes));
  let payload = part.subarray(headBytes);
  const what = dice.below(6);
  if (what === 0) head[3] = dice.below(11);
  else if (what === 1) head[4] = (head[4] as number) ^ dice.pick([1, 4, 8, 0x20, 1 << dice.below(8)]);
  else if (what === 2) head.writeUInt32BE(otherId(head.readUInt32BE(5), dice), 5);
  else if (what === 3) payload = payload.length < 4 ? dice.bytes(dice.pick([4, 5, 6, 8])) : withWord(payload, dice);
  else payload = scramble(payload, dice);
  head.writeUIntBE(payload.length, 0, 3);
  return Buffer.concat([head, payload]);
}

function otherId(id: number, dice: Dice): number {
  return (
    (dice.chance(0.8) ? Math.max(0, id + dice.pick([-4, -2, -1, 1, 2, 4])) : dice.pick([0, 1, 2, dice.edge()])) >>> 0
  );
}

function withWord(payload: Buffer, dice: Dice): Buffer {
  const copy = Buffer.from(payload);
  copy.writeUInt32BE(dice.edge(), dice.pick([0, copy.length - 4, dice.below(copy.length - 3)]));
  return copy;
}
