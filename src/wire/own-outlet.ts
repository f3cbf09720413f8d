import type { Socket } from "node:net";

/** What leaves by a socket: one write a turn of the event loop, none while the socket is full. */
export class Outlet {
  readonly #socket: Socket;
  readonly #take: () => Buffer | undefined;
  readonly #stallMs: number;
  #isFull = false;
  #isDue = false;
  /** What the socket held when it was last seen to move, and when that was. */
  #held = 0;
  #movedAt = 0;

  /** Writes what `take` gives, until it gives nothing. */
  constructor(socket: Socket, take: () => Buffer | undefined, stallMs: number) {
    this.#socket = socket;
    this.#take = take;
    this.#stallMs = stallMs;
    socket.on("drain", this.#drained);
  }

  /** There is something to take: it leaves at the end of this turn. */
  due(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    process.nextTick(this.#flushDue);
  }

  /** Writes all that is left, and ends our side. */
  end(): void {
    this.#isFull = false;
    this.#flush(true);
    this.#socket.end();
  }

  /** For how long the peer has taken nothing of what is sent to it, if that is longer than it may be. Asked in turns. */
  stalledMs(nowMs: number): number | undefined {
    const held = this.#isFull ? this.#socket.writableLength : 0;
    if (held === 0 || held !== this.#held) this.#movedAt = nowMs;
    this.#held = held;
    const stalledMs = nowMs - this.#movedAt;
    return stalledMs > this.#stallMs ? stalledMs : undefined;
  }

  readonly #drained = (): void => {
    this.#isFull = false;
    this.#flush();
  };

  readonly #flushDue = (): void => {
    this.#isDue = false;
    this.#flush();
  };

  #flush(isLast = false): void {
    while ((isLast || !this.#isFull) && this.#socket.writable) {
      const bytes = this.#take();
      if (bytes === undefined) return;
      this.#isFull = !this.#socket.write(bytes);
    }
  }
}
