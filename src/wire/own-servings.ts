import type { Clock } from "../base/clock.ts";
import type { Serving } from "./own-serving.ts";

/** Time in which requests that crossed with our GOAWAY arrive, for peers that do not answer our PING. */
const crossingMs = 250;

/** The HTTP/2 connections of one port. */
export class Servings {
  readonly #clock: Clock;
  readonly #all = new Set<Serving>();
  #isLeaving = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One more. When the port is leaving already, it is told so first of all. */
  add(serving: Serving): void {
    this.#all.add(serving);
    serving.socket.once("close", () => this.#all.delete(serving));
    if (!this.#isLeaving) return;
    void serving.leave();
    serving.left();
  }

  /** Asks the peers to begin nothing more here, and takes what is on its way; resolves when nothing can be any more. */
  async leave(graceMs: number): Promise<void> {
    this.#isLeaving = true;
    const heard = Promise.all([...this.#all].map((serving) => serving.leave()));
    const late = new AbortController();
    const waited = this.#clock.sleep(Math.min(crossingMs, graceMs), late.signal).catch(() => {}); // aborted below
    if (graceMs > 0) await Promise.race([heard, waited]);
    late.abort();
    for (const serving of this.#all) serving.left();
  }

  /** Ends them, once what they have said has left. */
  close(): void {
    for (const serving of this.#all) serving.close();
  }
}
