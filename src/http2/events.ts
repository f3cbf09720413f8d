import type { ConnectionError } from "./errors.ts";
import type { Fields } from "./hpack-decoder.ts";
import type { LimitName } from "./limits.ts";
import type { Settings } from "./settings.ts";
import type { Stream } from "./stream.ts";

/** How a stream ended before its time. */
export interface Reset {
  /** The code of RST_STREAM or GOAWAY. */
  readonly code: number;
  /** Who ended it: the peer's reset, the peer's mistake, or the end of the whole connection. */
  readonly by: "peer" | "fault" | "connection";
  readonly reason: string;
  /** Whether the peer has said that it did nothing for this stream, so that it may be sent again elsewhere. */
  readonly isUnprocessed: boolean;
}

/** Something a peer did wrong on one stream; the connection goes on. */
export interface Fault {
  readonly streamId: number;
  readonly code: number;
  readonly reason: string;
  readonly limit: LimitName | undefined;
}

/** Whoever uses a connection. Called while `receive`, `tick` or `take` runs, and free to give commands from within. */
export interface ConnectionEvents {
  /** A request has begun (server), or the final response has (client). The list is shared: not to be written in. */
  headers(stream: Stream, fields: Fields, endStream: boolean): void;
  /** A response before the final one (1xx). */
  informational(stream: Stream, fields: Fields): void;
  /**
   * `bytes` from `start` to `end` of a body. A view into what `receive` was given or into a buffer nobody writes again:
   * it may be kept without a copy unless the giver uses those bytes again. Each must be `consumed` some time.
   */
  data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void;
  /** The message has ended with trailers. */
  trailers(stream: Stream, fields: Fields): void;
  /** What `sendData` let wait has left. */
  writable(stream: Stream): void;
  /** Both sides have ended as they should, and the last frame has left. */
  closed(stream: Stream): void;
  /** The stream ended otherwise; nothing more comes of it. Not told of one's own `resetStream`. */
  reset(stream: Stream, reset: Reset): void;
  /** There is something to `take`; told once until it is taken. */
  output(): void;
  /** The peer has told of itself. */
  settings(settings: Settings): void;
  /** A `ping` was answered. */
  pong(payload: Buffer): void;
  /** The peer takes no new streams above `lastId`. */
  goAway(lastId: number, code: number, debug: string): void;
  /** There is room for a stream again, after `openStream` found none. */
  roomForStreams(): void;
  /** A peer's mistake on a stream, for the log. */
  fault(fault: Fault): void;
  /** The connection is over: `take` what is left (GOAWAY), then close. */
  failed(error: ConnectionError): void;
}
