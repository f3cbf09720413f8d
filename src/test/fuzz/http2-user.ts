import { Connection, type ConnectionOptions } from "../../http2/connection.ts";
import type { Stream } from "../../http2/stream.ts";
import type { Behaviour, Witness } from "./http2-witness.ts";

/** A connection in the hands of a user whose mistakes are the documented ones: it asks for too much, and takes a no. */
export class UsedConnection extends Connection {
  readonly #witness: Witness<UsedConnection>;

  constructor(options: Omit<ConnectionOptions, "events">, witness: Witness<UsedConnection>) {
    super({ ...options, events: witness });
    this.#witness = witness;
  }

  /** Resets a stream, of which nothing may be told from then on. */
  giveUp(stream: Stream, code: number): void {
    this.#witness.gaveUp(stream);
    this.resetStream(stream, code);
  }

  override openStream(...request: Parameters<Connection["openStream"]>): Stream | undefined {
    return unlessRefused(() => super.openStream(...request));
  }

  override sendHeaders(...answer: Parameters<Connection["sendHeaders"]>): void {
    unlessRefused(() => super.sendHeaders(...answer));
  }

  override sendTrailers(...trailers: Parameters<Connection["sendTrailers"]>): void {
    unlessRefused(() => super.sendTrailers(...trailers));
  }
}

/** What a user does when it is told something. */
export type User = Behaviour<UsedConnection>;

const refusals =
  /^a header list of|is no name of a header$|has a character that may not be sent$|^headers after the body/;

/** The peer takes no list so long, or a value may not be sent: both are said, and nothing is sent. */
function unlessRefused<T>(send: () => T): T | undefined {
  try {
    return send();
  } catch (error) {
    if (error instanceof Error && refusals.test(error.message)) return undefined;
    throw error;
  }
}
