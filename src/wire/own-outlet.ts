import type { WireSocket } from "./network.ts";

/** Does something a little later, once. */
export type Soon = (task: () => void) => void;

/** What leaves by a socket: one write a turn of the event loop, none while the socket is full. */
export class Outlet {
  readonly #socket: WireSocket;
  readonly #take: () => Buffer | undefined;
  readonly #stallMs: number;
  readonly #soon: Soon;
  #isFull = false;
  #isDue = false;
  /** How many bytes left the last time. */
  #left = 0;
  /** What the socket held when it was last seen to move, and when that was. */
  #held = 0;
  #movedAt = 0;

  /** Writes what `take` gives, until it gives nothing; when there is something, `soon`. */
  constructor(
    socket: WireSocket,
    { take, stallMs, soon }: { take: () => Buffer | undefined; stallMs: number; soon: Soon },
  ) {
    this.#socket = socket;
    this.#take = take;
    this.#stallMs = stallMs;
    this.#soon = soon;
    socket.on("drain", this.#drained);
  }

  /** There is something to take: it leaves soon; where much left the last time, as soon as it can: it fills writes by itself. */
  due(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    if (this.#left > bulkBytes) process.nextTick(this.#flushDue);
    else this.#soon(this.#flushDue);
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

  /** What is several pieces leaves in one write all the same, as long as it is not more than one should be. */
  #flush(isLast = false): void {
    this.#left = 0;
    while ((isLast || !this.#isFull) && this.#socket.writable) {
      const first = this.#take();
      if (first === undefined) return;
      const second = this.#take();
      this.#left += first.length + (second?.length ?? 0);
      if (second === undefined) this.#isFull = !this.#socket.write(first);
      else this.#writeAll(first, second);
    }
  }

  #writeAll(...begun: Buffer[]): void {
    this.#socket.cork();
    let bytes = 0;
    for (const piece of begun) {
      this.#isFull = !this.#socket.write(piece);
      bytes += piece.length;
    }
    while (bytes < turnBytes) {
      const piece = this.#take();
      if (piece === undefined) break;
      this.#isFull = !this.#socket.write(piece);
      bytes += piece.length;
    }
    this.#socket.uncork();
  }
}

/** More than calls of ordinary size are together. */
const bulkBytes = 16 * 1024;

/** What leaves in one write at the most, or a piece more. */
const turnBytes = 256 * 1024;
