import { Flag, FrameReader, type FrameSink, FrameType, preface } from "../../http2/frame.ts";

/** What one end has read of a connection. */
interface Heard {
  readonly reader: FrameReader;
  /** Bytes of the preface still to come: those that clients send begin with it. */
  prefaceLeft: number;
}

/** The streams of one connection that have begun and not ended, by what arrived of it at either end. */
export class OpenStreams {
  /** Which sides of each stream are still open. */
  readonly #open = new Map<number, { client: boolean; server: boolean }>();
  readonly #fromClient: Heard = { reader: new FrameReader(this.#sink("client")), prefaceLeft: preface.length };
  readonly #fromServer: Heard = { reader: new FrameReader(this.#sink("server")), prefaceLeft: 0 };

  get size(): number {
    return this.#open.size;
  }

  /** Bytes have arrived that this side sent. */
  sent(by: "client" | "server", bytes: Buffer): void {
    const heard = by === "client" ? this.#fromClient : this.#fromServer;
    const skipped = Math.min(heard.prefaceLeft, bytes.length);
    heard.prefaceLeft -= skipped;
    if (skipped < bytes.length) heard.reader.read(bytes, skipped);
  }

  #sink(side: "client" | "server"): FrameSink {
    return {
      frame: (type, flags, id) => {
        if (type === FrameType.rstStream) this.#open.delete(id);
        if (type !== FrameType.headers && type !== FrameType.data) return;
        if (side === "client" && type === FrameType.headers && !this.#open.has(id)) {
          this.#open.set(id, { client: true, server: true });
        }
        const stream = this.#open.get(id);
        if (stream === undefined || (flags & Flag.endStream) === 0) return;
        stream[side] = false;
        if (!stream.client && !stream.server) this.#open.delete(id);
      },
    };
  }
}
