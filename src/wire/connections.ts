import { unavailable } from "../call/errors.ts";

/** One connection to an endpoint. It never comes back: whoever needs another makes another. */
export interface Connection {
  /** Settles when it has opened or cannot; rejects with UNAVAILABLE. */
  readonly opened: Promise<void>;
  /** Whether new requests may go out on it, now or once it has opened. */
  readonly usable: boolean;
  /** Whether the peer still answers; asked only when it has long been silent. */
  alive(): Promise<boolean>;
  /** Calls `listener` when it is gone. */
  onGone(listener: () => void): void;
  /** Closes it at once, with what it carries. */
  close(problem?: Error): void;
}

/** Connections that one request may wait for: the one that is there, and another when that one is on its leave. */
const maxConnections = 2;

/** The connections of one session: at most one that takes requests, and others that finish what they carry. */
export class Connections<C extends Connection> {
  readonly #address: string;
  readonly #make: () => C;
  /** Those that are not gone. */
  readonly #all = new Set<C>();
  #current: C | undefined;
  #carried = 0;
  #retired = false;
  readonly #over = Promise.withResolvers<void>();

  constructor(address: string, make: () => C) {
    this.#address = address;
    this.#make = make;
  }

  /** The connection that takes requests, or did last. */
  get current(): C | undefined {
    return this.#current;
  }

  /** A connection that has opened and takes requests. Rejects with UNAVAILABLE when there is none to be had. */
  async take(): Promise<C> {
    for (let tried = 0; tried < maxConnections; tried++) {
      const connection = this.#usable();
      await connection.opened;
      if (connection.usable && (await connection.alive())) return connection;
    }
    const message = `${this.#address} takes no more requests: it is going away`;
    throw unavailable(message, { reason: "GOING_AWAY", domain: "heddle" });
  }

  /** Counts a request that begins; each is ended by one `ended`. */
  began(): void {
    this.#carried++;
  }

  ended(): void {
    this.#carried--;
    this.#closeIfDone();
  }

  /** Closes as soon as what is carried has ended; resolves then. */
  retire(): Promise<void> {
    this.#retired = true;
    this.#closeIfDone();
    return this.#over.promise;
  }

  /** Closes at once. */
  close(): void {
    for (const connection of this.#all) connection.close(new Error("the session is closed"));
    this.#over.resolve();
  }

  #usable(): C {
    if (this.#current?.usable) return this.#current;
    const made = this.#make();
    this.#current = made;
    this.#all.add(made);
    made.onGone(() => this.#all.delete(made));
    return made;
  }

  #closeIfDone(): void {
    if (!this.#retired || this.#carried > 0) return;
    for (const connection of this.#all) connection.close();
    this.#over.resolve();
  }
}
