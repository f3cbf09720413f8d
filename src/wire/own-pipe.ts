import type { Clock, Timer } from "../base/clock.ts";
import type { Fields } from "../call/fields.ts";
import { Connection, type ConnectionOptions } from "../http2/connection.ts";
import type { ConnectionEvents, Fault, Reset } from "../http2/events.ts";
import type { Settings } from "../http2/settings.ts";
import type { Stream } from "../http2/stream.ts";
import type { WireSocket } from "./network.ts";
import { Outlet, type Soon } from "./own-outlet.ts";

/** How often a connection is told the time. */
const tickMs = 1_000;

/** Time in which the peer closes its side, once we have closed ours: to close both would lose what it has not read. */
const lingerMs = 1_000;

/** What a pipe may differ in. */
export interface PipeOptions extends Omit<ConnectionOptions, "events" | "nowMs"> {
  readonly clock: Clock;
  /** Time in which a peer takes something of what is sent to it, in milliseconds. Default 30 s. */
  readonly writeStallMs?: number;
  /**
   * When what was said leaves. By default when what has just been told is worked off: where the peer's own sending sets
   * off nearly all that is said, that is all there is to wait for.
   */
  readonly soon?: Soon;
}

/**
 * An HTTP/2 connection on a socket: bytes and time in, one write a turn out, none while the socket is full. Who extends
 * it says what the connection's events mean; what it has nothing to say about does nothing.
 */
export abstract class Pipe implements ConnectionEvents {
  readonly http2: Connection;
  readonly socket: WireSocket;
  protected readonly clock: Clock;
  /** What ended it, if it did not end as it should. */
  problem: Error | undefined;
  readonly #outlet: Outlet;
  #timer: Timer;
  #isClosing = false;

  constructor(socket: WireSocket, { clock, writeStallMs = 30_000, soon = process.nextTick, ...options }: PipeOptions) {
    this.clock = clock;
    this.socket = socket;
    this.#outlet = new Outlet(socket, { take: () => this.http2.take(), stallMs: writeStallMs, soon });
    this.http2 = new Connection({ ...options, events: this, nowMs: clock.now() });
    this.#timer = clock.setTimer(tickMs, this.#tick);
    socket.on("data", this.#receive);
    socket.on("error", (error) => {
      this.problem ??= error;
    });
    socket.once("end", () => this.destroy());
    socket.resume(); // it may have been stopped while somebody looked at its first bytes
    socket.once("close", () => {
      this.#timer.cancel();
      this.http2.close();
      this.gone();
    });
  }

  /** It is gone; every stream has been told. */
  protected abstract gone(): void;
  /** The peer has sent something, which is about to be read. */
  protected heard(_now: number): void {}
  /** The time, about once a second. */
  protected abstract ticked(nowMs: number): void;
  abstract headers(stream: Stream, fields: Fields, endStream: boolean): void;
  abstract data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void;
  abstract trailers(stream: Stream, fields: Fields): void;
  abstract writable(stream: Stream): void;
  abstract closed(stream: Stream): void;
  abstract reset(stream: Stream, reset: Reset): void;
  informational(_stream: Stream, _fields: Fields): void {}
  settings(_settings: Settings): void {}
  pong(_payload: Buffer): void {}
  goAway(_lastId: number, _code: number, _debug: string): void {}
  roomForStreams(): void {}
  fault(_fault: Fault): void {}

  /** All that is said in one turn of the event loop leaves together. */
  output(): void {
    this.#outlet.due();
  }

  failed(error: Error): void {
    this.close(error);
  }

  /** Says what is left to say and closes; what is carried is told first. The peer has a moment to close its side. */
  close(problem?: Error): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.problem ??= problem;
    this.http2.close();
    this.#outlet.end();
    this.#timer.cancel();
    this.#timer = this.clock.setTimer(lingerMs, () => this.socket.destroy());
  }

  /** Closes at once, without a word; what is carried is told first. */
  destroy(problem?: Error): void {
    this.problem ??= problem;
    this.http2.close();
    this.socket.destroy();
  }

  readonly #receive = (bytes: Buffer): void => {
    const now = this.clock.now();
    this.heard(now);
    try {
      this.http2.receive(bytes, now);
    } catch (reason) {
      this.close(reason instanceof Error ? reason : new Error(String(reason))); // costs this connection, not the process
    }
  };

  readonly #tick = (): void => {
    const now = this.clock.now();
    this.http2.tick(now);
    this.ticked(now);
    const stalledMs = this.#outlet.stalledMs(now);
    if (stalledMs !== undefined)
      this.destroy(new Error(`the peer has read nothing in ${Math.round(stalledMs)} ms: writeStallMs`));
    if (!this.socket.destroyed && !this.#isClosing) this.#timer = this.clock.setTimer(tickMs, this.#tick);
  };
}
