import type { ConnectError } from "@connectrpc/connect";
import type { Fields } from "../call/fields.ts";
import type { Reset } from "../http2/events.ts";
import type { Stream } from "../http2/stream.ts";
import type { CalledStream } from "./called-stream.ts";
import { Pipe } from "./own-pipe.ts";

/** The client's end of a connection: what arrives on a stream is told to the request that has it. */
export abstract class CallingPipe extends Pipe {
  /** A stream is over. */
  abstract override closed(): void;
  /** What became of the connection, for a request that it took with it. */
  protected abstract lost(why: string): ConnectError;

  headers(stream: Stream, fields: Fields, endStream: boolean): void {
    const call = stream.owner as CalledStream;
    call.headers(fields, endStream);
    if (endStream) call.ended();
  }

  data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const call = stream.owner as CalledStream;
    if (end > start) call.data(bytes, start, end);
    if (endStream) call.ended();
  }

  trailers(stream: Stream, fields: Fields): void {
    const call = stream.owner as CalledStream;
    call.trailers(fields);
    call.ended();
  }

  writable(stream: Stream): void {
    (stream.owner as CalledStream).writable();
  }

  reset(stream: Stream, reset: Reset): void {
    (stream.owner as CalledStream).reset(reset, (why) => this.lost(why));
    this.closed();
  }
}
