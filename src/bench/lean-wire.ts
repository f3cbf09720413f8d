import type { Socket } from "node:net";
import { Flag, FrameReader, type FrameSink, FrameType } from "../http2/frame.ts";
import { frame, word } from "../testing/http2-frames.ts";
import { stamp } from "./templates.ts";

const largestWindow = 2 ** 31 - 1;

/** SETTINGS that let every stream send as it likes, and the same for the connection. */
const greeting = Buffer.concat([
  frame(FrameType.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), word(largestWindow)])),
  frame(FrameType.windowUpdate, 0, 0, word(largestWindow - 65_535)),
]);

/**
 * HTTP/2 with as little work as can be: frames are copied from templates, those that arrive are counted, nothing is
 * decoded. Whoever measures has to be several times faster than what is measured: the two take turns.
 */
export abstract class LeanWire implements FrameSink {
  readonly socket: Socket;
  readonly #reader = new FrameReader(this);
  #out = Buffer.allocUnsafe(64 * 1024);
  #length = 0;
  #unacknowledged = 0;

  constructor(socket: Socket, preface = Buffer.alloc(0)) {
    this.socket = socket;
    socket.write(Buffer.concat([preface, greeting]));
  }

  /** The frame is no matter of the connection's own. */
  protected abstract told(type: number, flags: number, id: number, bytes: number): void;

  /** Reads what has come, and answers it in one write. The bytes may be used again after it. */
  receive(bytes: Buffer, from = 0): void {
    this.#reader.read(bytes, from);
    this.flush();
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const isAsked = (flags & Flag.ack) === 0;
    if (type === FrameType.data) this.#consumed(end - start);
    if (type === FrameType.settings && isAsked) this.put(frame(FrameType.settings, Flag.ack, 0), 0);
    else if (type === FrameType.ping && isAsked)
      this.put(frame(FrameType.ping, Flag.ack, 0, bytes.subarray(start, end)), 0);
    else this.told(type, flags, id, end - start);
  }

  /** Adds frames of stream `id` to what leaves next. */
  put(frames: Buffer, id: number): void {
    if (this.#length + frames.length > this.#out.length) this.flush();
    this.#length = stamp(frames, id, this.#out, this.#length);
  }

  flush(): void {
    if (this.#length === 0) return;
    this.socket.write(this.#out.subarray(0, this.#length));
    if (this.socket.writableLength > 0) this.#out = Buffer.allocUnsafe(this.#out.length); // some of it still waits
    this.#length = 0;
  }

  #consumed(bytes: number): void {
    this.#unacknowledged += bytes;
    if (this.#unacknowledged < 2 ** 30) return;
    this.put(frame(FrameType.windowUpdate, 0, 0, word(this.#unacknowledged)), 0);
    this.#unacknowledged = 0;
  }
}
