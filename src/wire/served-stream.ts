import type { Fields } from "../call/fields.ts";
import type { Connection } from "../http2/connection.ts";
import type { Reset } from "../http2/events.ts";
import type { Stream } from "../http2/stream.ts";

/** What a served stream is a part of. */
export interface ServedStreamParts {
  readonly http2: Connection;
  readonly stream: Stream;
  /** The network address of who sends it, where there is a network. */
  readonly peer: string | undefined;
  /** Called once, when nothing more comes of it, either way. */
  readonly onOver: () => void;
}

/** What answers one request of an HTTP/2 connection; told of all that happens to its stream. */
export interface ServedStream {
  /** The request begins, with these header fields. */
  begin(fields: Fields): void;
  /** Part of the request's body: `bytes` from `start` to `end`. */
  data(bytes: Buffer, start: number, end: number): void;
  /** The request has ended. */
  ended(): void;
  /** What waited to be sent has left. */
  writable(): void;
  /** Both sides have ended as they should. */
  closed(): void;
  /** The stream was reset, or its connection went. */
  reset(reset: Reset): void;
}
