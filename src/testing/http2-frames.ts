import { errorName } from "../http2/errors.ts";
import { FrameReader, FrameType, preface } from "../http2/frame.ts";
import { HpackEncoder } from "../http2/hpack-encoder.ts";
import { Output } from "../http2/output.ts";
import { type Http2End, http2End } from "./http2-pair.ts";

/** One frame, right or wrong, as bytes. */
export function frame(type: number, flags: number, id: number, payload: Uint8Array | readonly number[] = []): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, body]);
}

/** Four bytes of a number, as RST_STREAM and WINDOW_UPDATE carry it. */
export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** A header block that uses no dynamic table. */
export function block(...fields: string[]): Buffer {
  const output = new Output(() => {});
  new HpackEncoder().encode(fields, undefined, output);
  return output.take() ?? Buffer.alloc(0);
}

/** The block of a plain request. */
export const requestBlock = block(":method", "POST", ":scheme", "http", ":path", "/", ":authority", "here");

/** A connection that was greeted by a peer made of bytes: the peer may then do anything. */
export interface UnderAttack extends Http2End {
  /** Sends bytes at a time, and returns the frames they were answered with, such as `rstStream 1 CANCEL`. */
  send(bytes: Uint8Array | readonly Uint8Array[], nowMs?: number): string[];
}

/** Opens one, at time 0, with its SETTINGS exchanged. */
export function underAttack(role: "client" | "server", options: Parameters<typeof http2End>[1] = {}): UnderAttack {
  const end = http2End(role, options);
  const send = (bytes: Uint8Array | readonly Uint8Array[], nowMs = 0) => {
    for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) end.connection.receive(piece, nowMs);
    return framesOf(end);
  };
  if (role === "server") send(preface);
  send([frame(FrameType.settings, 0, 0), frame(FrameType.settings, 1, 0)]);
  return { ...end, send };
}

const typeNames = Object.keys(FrameType);

/** The frames that wait to be taken, one line each. */
export function framesOf({ connection }: Http2End): string[] {
  const lines: string[] = [];
  const reader = new FrameReader({
    frame(type, flags, id, bytes, start, end) {
      const code = { [FrameType.rstStream]: start, [FrameType.goAway]: start + 4 }[type];
      const detail = code === undefined ? `${end - start}${flags & 1 ? "!" : ""}` : errorName(bytes.readUInt32BE(code));
      lines.push(`${typeNames[type]} ${id} ${detail}`);
    },
  });
  for (let bytes = connection.take(); bytes !== undefined; bytes = connection.take()) {
    reader.read(bytes, bytes.indexOf(preface) === 0 ? preface.length : 0);
  }
  return lines;
}
