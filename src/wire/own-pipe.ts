import type { Socket } from "node:net";
import { systemClock, type Timer } from "../base/clock.ts";
import { Connection, type ConnectionOptions } from "../http2/connection.ts";
import type { ConnectionEvents, Fault, Reset } from "../http2/events.ts";
import type { Settings } from "../http2/settings.ts";
import type { Stream } from "../http2/stream.ts";
import type { Fields } from "./fields.ts";

/** How often a connection is told the time. */
const tickMs = 1_000;

/**
 * An HTTP/2 connection on a socket: bytes and time in, one write a turn out, none while the socket is full. Who extends
 * it says what the connection's events mean; what it has nothing to say about does nothing.
 */
export abstract class Pipe implements ConnectionEvents {
  readonly http2: Connection;
  readonly socket: Socket;
  /** What ended it, if it did not end as it should. */
  problem: Error | undefined;
  #isFull = false;
  #isDue = false;
  #timer: Timer;

  constructor(socket: Socket, options: Omit<ConnectionOptions, "events" | "nowMs">) {
    this.socket = socket;
    this.http2 = new Connection({ ...options, events: this, nowMs: systemClock.now() });
    this.#timer = systemClock.setTimer(tickMs, this.#tick);
    socket.on("data", (bytes: Buffer) => this.http2.receive(bytes, systemClock.now()));
    socket.on("drain", this.#drained);
    socket.on("error", (error) => {
      this.problem ??= error;
    });
    socket.once("end", () => this.close());
    socket.resume(); // it may have been stopped while somebody looked at its first bytes
    socket.once("close", () => {
      this.#timer.cancel();
      this.http2.close();
      this.gone();
    });
  }

  /** It is gone; every stream has been told. */
  protected abstract gone(): void;
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
    if (this.#isDue) return;
    this.#isDue = true;
    process.nextTick(this.#flushDue);
  }

  failed(error: Error): void {
    this.close(error);
  }

  /** Says what is left to say and closes; what is carried is told first. */
  close(problem?: Error): void {
    this.problem ??= problem;
    this.http2.close();
    this.#isFull = false;
    this.#flush();
    this.socket.destroySoon();
  }

  readonly #tick = (): void => {
    const now = systemClock.now();
    this.http2.tick(now);
    this.ticked(now);
    if (!this.socket.destroyed) this.#timer = systemClock.setTimer(tickMs, this.#tick);
  };

  readonly #drained = (): void => {
    this.#isFull = false;
    this.#flush();
  };

  readonly #flushDue = (): void => {
    this.#isDue = false;
    this.#flush();
  };

  #flush(): void {
    while (!this.#isFull && this.socket.writable) {
      const bytes = this.http2.take();
      if (bytes === undefined) return;
      this.#isFull = !this.socket.write(bytes);
    }
  }
}
