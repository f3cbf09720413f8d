import { ConnectionError, errorName } from "../../http2/errors.ts";
import { FrameReader } from "../../http2/frame.ts";
import { splitFrames, twistFrame } from "./http2-bytes.ts";
import { promiseCutsDoNotMatter, shredded } from "./pieces.ts";
import { promised, type Target } from "./target.ts";

/** The frames that `pieces` hold, and how the reading ended. */
export function readFrames(pieces: readonly Buffer[]): { frames: Buffer[]; end: string } {
  const frames: Buffer[] = [];
  const reader = new FrameReader({
    frame(type, flags, id, bytes, start, end) {
      const head = Buffer.alloc(9);
      head.writeUIntBE(end - start, 0, 3);
      head.writeUIntBE((type << 8) | flags, 3, 2);
      head.writeUInt32BE(id, 5);
      frames.push(Buffer.concat([head, bytes.subarray(start, end)]));
    },
  });
  try {
    for (const piece of pieces) reader.read(piece, 0);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { frames, end: errorName(error.code) };
  }
  return { frames, end: reader.isPartial ? "partial" : "whole" };
}

/** The cutting of bytes into frames: nothing is lost, nothing made up, and only a length can be wrong. */
export const http2Frames: Target = {
  name: "http2-frames",
  corpus: "http2-server",
  split: splitFrames,
  twist: twistFrame,
  run(bytes, note) {
    const { frames, end } = readFrames([bytes]);
    const read = Buffer.concat(frames);
    promised(withoutReservedBits(bytes, read).equals(read), "the frames are the bytes in their order");
    promised(end === endAfter(bytes.subarray(read.length)), `how it ended: ${end}`);
    promiseCutsDoNotMatter(bytes, shredded(bytes), readFrames);
    note(`${end} ${frames.length > 0}`);
  },
};

/** How reading ends at `rest`, which holds no whole frame that is allowed. */
function endAfter(rest: Buffer): string {
  if (rest.length === 0) return "whole";
  if (rest.length < 9) return "partial";
  const length = rest.readUIntBE(0, 3);
  if (length > 16_384) return "FRAME_SIZE_ERROR";
  return rest.length - 9 < length ? "partial" : "a frame was left";
}

/** The beginning of `bytes` that is as long as `read`, with the bit before each stream's id cleared: it means nothing. */
function withoutReservedBits(bytes: Buffer, read: Buffer): Buffer {
  const copy = Buffer.from(bytes.subarray(0, read.length));
  for (let at = 0; at + 9 <= copy.length; at += 9 + copy.readUIntBE(at, 3))
    copy[at + 5] = (copy[at + 5] as number) & 0x7f;
  return copy;
}
