import { ConnectError } from "@connectrpc/connect";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import { unavailable } from "../call/errors.ts";
import { Carried } from "./carried.ts";
import { ConnectBackoff } from "./connect-backoff.ts";
import type { SessionOptions } from "./engine.ts";
import { SessionStatus } from "./session-status.ts";

/** One connection to an endpoint. It never comes back: whoever needs another makes another. */
export interface Connection {
  /** Settles when it has opened or cannot; rejects with UNAVAILABLE. */
  readonly opened: Promise<void>;
  /** Whether new requests may go out on it, now or once it has opened. */
  readonly usable: boolean;
  /** Whether the peer still answers; asked only when it has long been silent. */
  alive(): Promise<boolean>;
  /** Calls `listener` when it takes no more requests. */
  onLeave(listener: () => void): void;
  /** Calls `listener` when it is gone. */
  onGone(listener: () => void): void;
  /** Closes it at once, with what it carries. */
  close(problem?: Error): void;
}

/** Connections that one request may wait for: the one that is there, and another when that one is on its leave. */
const maxConnections = 2;

/** The connections of one session of Node's: at most one that takes requests, and others that finish what they carry. */
export class Connections<C extends Connection> {
  readonly carried = new Carried(() => this.#close());
  readonly status: SessionStatus;
  readonly #address: string;
  readonly #make: () => C;
  readonly #backoff: ConnectBackoff;
  /** Those that are not gone. */
  readonly #all = new Set<C>();
  #current: C | undefined;

  constructor(
    address: string,
    make: () => C,
    { backoffMinMs: minMs = 100, backoffMaxMs: maxMs = 120_000 }: SessionOptions,
  ) {
    this.#address = address;
    this.#make = make;
    this.#backoff = new ConnectBackoff({ minMs, maxMs, random: systemRandom });
    this.status = new SessionStatus(address, systemClock, this.#backoff);
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

  #usable(): C {
    if (this.#current?.usable) return this.#current;
    if (!this.status.mayTry) throw this.status.refusal();
    const made = this.#make();
    this.#current = made;
    this.#all.add(made);
    this.status.update({ open: 0, opening: 1 });
    made.opened.then(
      () => this.#opened(made),
      (reason) => this.#failed(ConnectError.from(reason)),
    );
    made.onLeave(() => this.#left(made));
    made.onGone(() => this.#all.delete(made));
    return made;
  }

  #opened(connection: C): void {
    this.#backoff.succeeded();
    if (connection === this.#current) this.status.update({ open: connection.usable ? 1 : 0, opening: 0 });
  }

  #failed(error: ConnectError): void {
    this.status.failed(error);
    this.status.update({ open: 0, opening: 0 });
  }

  #left(connection: C): void {
    if (connection === this.#current) this.status.update({ open: 0, opening: 0 });
  }

  #close(): void {
    for (const connection of this.#all) connection.close(new Error("the session is closed"));
    this.status.end();
  }
}
