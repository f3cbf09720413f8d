import type { ConnectError } from "@connectrpc/connect";
import type { Fields } from "../call/fields.ts";
import type { Connection } from "../http2/connection.ts";
import type { Reset } from "../http2/events.ts";
import type { Stream } from "../http2/stream.ts";

/** What a called stream is a part of. */
export interface CalledStreamParts {
  readonly http2: Connection;
  readonly stream: Stream;
  /** Called once, when nothing more comes of it, either way. */
  readonly onOver: () => void;
}

/** What asks one request of an HTTP/2 connection; told of all that happens to its stream. */
export interface CalledStream {
  /** The head of the answer; `isAll` if nothing follows. */
  headers(fields: Fields, isAll: boolean): void;
  /** Part of the answer's body: `bytes` from `start` to `end`. */
  data(bytes: Buffer, start: number, end: number): void;
  trailers(fields: Fields): void;
  /** The answer has ended. What of the request was not sent by then, nobody wants. */
  ended(): void;
  /** What waited to be sent has left. */
  writable(): void;
  /** The stream was reset, or its connection went: `lost` says how. */
  reset(reset: Reset, lost: (why: string) => ConnectError): void;
}
