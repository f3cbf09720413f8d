import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { errorName } from "../http2/errors.ts";
import { Flag, FrameReader, FrameType, preface } from "../http2/frame.ts";
import { HpackDecoder } from "../http2/hpack-decoder.ts";
import { defaultLimits } from "../http2/limits.ts";
import { block, frame } from "./http2-frames.ts";

/** What came back on one stream. */
export interface RawAnswer {
  /** Of head and trailers alike. */
  readonly fields: Map<string, string>;
  body: Buffer;
  /** How it ended: "end", or the code of its reset. */
  ended: string | undefined;
}

/** A client that keeps to no rule: bytes out as they are, and whatever comes back in order. */
export class Attacker implements AsyncDisposable {
  readonly socket: Socket;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<unknown>;
  /** The GOAWAY that named an error, such as "ENHANCE_YOUR_CALM: too many: pings". */
  goAway: string | undefined;
  readonly answers = new Map<number, RawAnswer>();
  readonly #decoder = new HpackDecoder(defaultLimits);
  #reader = new FrameReader(this);

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {}); // being cut off is what it is for
    socket.on("data", (bytes: Buffer) => this.#reader.read(bytes, 0));
  }

  get isOver(): boolean {
    return this.socket.destroyed;
  }

  /** Writes bytes as they are; resolves when there is room for more, or nobody to send them to. */
  async send(...pieces: readonly Uint8Array[]): Promise<void> {
    if (this.isOver) return;
    if (this.socket.write(Buffer.concat(pieces))) await new Promise((resolve) => setImmediate(resolve));
    else await Promise.race([once(this.socket, "drain").catch(() => {}), this.closed]);
  }

  /** Sends what `make` makes until the server has had enough, or `most` times; returns how often that was. */
  async flood(make: (i: number) => Uint8Array | readonly Uint8Array[], most = 20_000): Promise<number> {
    let count = 0;
    while (!this.isOver && this.goAway === undefined && count < most) {
      const batch = Array.from({ length: Math.min(50, most - count) }, () => make(count++));
      await this.send(...batch.flatMap((piece) => (piece instanceof Uint8Array ? [piece] : piece)));
    }
    return count;
  }

  /** What has come on a stream so far. */
  answer(id: number): RawAnswer {
    const known = this.answers.get(id) ?? { fields: new Map(), body: Buffer.alloc(0), ended: undefined };
    this.answers.set(id, known);
    return known;
  }

  /** A frame that came back. */
  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (type === FrameType.goAway) {
      if (bytes.readUInt32BE(start + 4) !== 0) this.goAway ??= bytes.toString("latin1", start + 8, end);
    } else if (id !== 0) {
      const answer = this.answer(id);
      if (type === FrameType.headers) this.#fields(answer, bytes, start, end);
      if (type === FrameType.data) answer.body = Buffer.concat([answer.body, bytes.subarray(start, end)]);
      if (type === FrameType.rstStream) answer.ended ??= errorName(bytes.readUInt32BE(start));
      else if (type <= FrameType.headers && flags & Flag.endStream) answer.ended ??= "end";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #fields({ fields }: RawAnswer, bytes: Buffer, start: number, end: number): void {
    const list = this.#decoder.decode(bytes, start, end);
    for (let i = 0; i < list.length; i += 2) fields.set(list[i] as string, list[i + 1] as string);
  }
}

/** SETTINGS of one value: 1 the table, 4 the window of a stream. */
export function setting(id: number, value: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(id);
  payload.writeUInt32BE(value, 2);
  return frame(FrameType.settings, 0, 0, payload);
}

/** How to greet. */
export interface Greeting {
  readonly settings?: Uint8Array;
  /** Whether to acknowledge the server's SETTINGS. Default true. */
  readonly acknowledge?: boolean;
}

/** Connects to a port of this machine and greets as HTTP/2 does. */
export async function openAttacker(
  port: number,
  { settings = setting(2, 0), acknowledge = true }: Greeting = {},
): Promise<Attacker> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  const attacker = new Attacker(socket);
  await attacker.send(preface, settings, acknowledge ? frame(FrameType.settings, Flag.ack, 0) : Buffer.alloc(0));
  return attacker;
}

/** HEADERS of a whole gRPC request, without its body. */
export function grpcHead(id: number, path: string, ...more: readonly string[]): Buffer {
  const pseudo = [":method", "POST", ":scheme", "http", ":authority", "here", ":path", path];
  const fields = block(...pseudo, "content-type", "application/grpc", "te", "trailers", ...more);
  return frame(FrameType.headers, Flag.endHeaders, id, fields);
}

/** A gRPC message with its prefix, which may lie about what follows. */
export function prefixed(message: Uint8Array, { flags = 0, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}
