import { Flag, FrameType, preface } from "../../http2/frame.ts";
import { HpackDecoder } from "../../http2/hpack-decoder.ts";
import type { Settings } from "../../http2/settings.ts";
import { type PlainFrame, plainFrames } from "./http2-bytes.ts";
import { promised } from "./target.ts";

/** What the peer has sent and what came of it. */
export interface Sent {
  readonly input: Buffer;
  readonly output: Buffer;
  readonly settingsSeen: readonly Settings[];
  readonly isClient: boolean;
  /** Streams that the peer has ended and that count as open: we have not. */
  readonly halfClosed: readonly number[];
}

const messages: readonly number[] = [FrameType.data, FrameType.headers, FrameType.continuation, FrameType.rstStream];

/**
 * Throws unless what a connection has sent is right whatever it was sent: whole frames, streams that stay closed, header
 * blocks that can be read by who has kept the table as was agreed, bodies within the windows that were given, and in all
 * no more than is fair for so much input.
 */
export function judge(sent: Sent): void {
  const { input, output, settingsSeen, isClient, halfClosed } = sent;
  const start = isClient ? preface.length : 0;
  promised(!isClient || output.subarray(0, start).equals(preface), "a client begins with the preface");
  const frames = plainFrames(output.subarray(start));
  const length = frames.reduce((sum, { payload }) => sum + 9 + payload.length, 0);
  promised(length === output.length - start, "what is sent is whole frames");
  promised(frames[0]?.type === FrameType.settings, "SETTINGS come first");
  judgeStreams(frames, halfClosed);
  judgeBlocks(frames, settingsSeen);
  judgeWindows(frames, plainFrames(isClient ? input : input.subarray(preface.length)), settingsSeen);
  const bodies = frames.reduce((sum, { type, payload }) => sum + (type === FrameType.data ? payload.length + 9 : 0), 0);
  const unasked = isClient ? 30_000 : 4_096; // a client also has requests of its own
  promised(output.length - bodies <= 30 * input.length + unasked, `${output.length} bytes for ${input.length}`);
}

function judgeStreams(frames: readonly PlainFrame[], halfClosed: readonly number[]): void {
  const ended = new Set<number>();
  const reset = new Set<number>();
  let open = 0;
  for (const { type, flags, id } of frames) {
    promised(open === 0 || (type === FrameType.continuation && id === open), "a block is not interrupted");
    if (type === FrameType.headers || type === FrameType.continuation) open = flags & Flag.endHeaders ? 0 : id;
    if (!messages.includes(type)) continue;
    promised(id > 0 && !(type === FrameType.headers && reset.has(id)), `frame ${type} on stream ${id} after its reset`);
    promised(type !== FrameType.data || (!ended.has(id) && !reset.has(id)), `body on stream ${id} after its end`);
    promised(type !== FrameType.headers || !ended.has(id), `headers on stream ${id} after its end`);
    if (type === FrameType.rstStream) reset.add(id);
    else if (type !== FrameType.continuation && flags & Flag.endStream) ended.add(id);
  }
  for (const id of halfClosed)
    promised(!ended.has(id) && !reset.has(id), `stream ${id} has ended on both sides and lives`);
}

/** Reads every block with one table, which shrinks and grows where we acknowledged that it should. */
function judgeBlocks(frames: readonly PlainFrame[], settingsSeen: readonly Settings[]): void {
  const decoder = new HpackDecoder({ headerListBytes: 2 ** 20, headerCount: 10_000 });
  let acknowledged = 0;
  let block: Buffer[] = [];
  for (const { type, flags, payload } of frames) {
    if (type === FrameType.settings && flags & Flag.ack) {
      const { headerTableBytes } = settingsSeen[acknowledged++] ?? { headerTableBytes: 4_096 };
      decoder.allow(Math.min(headerTableBytes, 4_096));
    }
    if (type !== FrameType.headers && type !== FrameType.continuation) continue;
    block.push(payload);
    if ((flags & Flag.endHeaders) === 0) continue;
    const bytes = Buffer.concat(block);
    decoder.decode(bytes, 0, bytes.length);
    block = [];
  }
  promised(acknowledged <= settingsSeen.length + 1, "each SETTINGS is acknowledged once");
}

function judgeWindows(
  sent: readonly PlainFrame[],
  received: readonly PlainFrame[],
  settings: readonly Settings[],
): void {
  const given = new Map<number, number>([[0, 65_535]]);
  const initial = Math.max(65_535, ...settings.map(({ initialWindowBytes }) => initialWindowBytes));
  for (const { type, id, payload } of received) {
    if (type !== FrameType.windowUpdate || payload.length !== 4) continue;
    given.set(id, (given.get(id) ?? initial) + (payload.readUInt32BE() & 0x7fffffff));
  }
  const used = new Map<number, number>();
  for (const { type, id, payload } of sent) {
    if (type !== FrameType.data) continue;
    for (const window of [0, id]) used.set(window, (used.get(window) ?? 0) + payload.length);
  }
  for (const [id, bytes] of used)
    promised(bytes <= (given.get(id) ?? initial), `${bytes} bytes of body on stream ${id}`);
}
