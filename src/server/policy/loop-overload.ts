import type { LoopReading } from "../../base/loop-load.ts";

/** When an event loop has more to do than it can. */
export interface LoopOverloadOptions {
  /** How long one turn of it may take, in milliseconds. Default 100. */
  readonly targetDelayMs?: number;
}

/** A loop that idles a tenth of its time keeps up, however long single turns take. */
const busyRatio = 0.9;
/** How long it has to be too slow, without a break, before anything is refused: longer than a collection of garbage. */
const patienceMs = 1_000;
/** What a reading changes: by how far the delay is from the target, and by how fast it moves; per `stepMs`. */
const alpha = 0.01;
const beta = 0.1;
const stepMs = 100;
/** A call in a hundred gets through whatever happens: by what it meets, the end of an overload is seen. */
const maxShare = 0.99;

type State =
  | { readonly name: "calm" }
  | { readonly name: "pressed"; readonly forMs: number }
  | { readonly name: "shedding"; readonly share: number; readonly delayMs: number };

/**
 * How many of the calls that arrive are too many for the event loop: none, until its turns have been longer than the
 * target for a whole second while it hardly idled; then the share that brings them back, found the way PIE finds it for
 * queues of packets (RFC 8033 §4.2): the share grows while the delay is above the target, and while it still grows.
 *
 * Utilization alone says nothing: a loop that is busy all the time and turns fast is well used, not overloaded.
 */
export class LoopOverload {
  readonly #targetMs: number;
  #state: State = { name: "calm" };

  constructor({ targetDelayMs = 100 }: LoopOverloadOptions = {}) {
    this.#targetMs = targetDelayMs;
  }

  /** The share of calls to refuse, from 0 to 1. */
  get share(): number {
    return this.#state.name === "shedding" ? this.#state.share : 0;
  }

  /** Whether it may begin to refuse calls soon, or does. */
  get isPressed(): boolean {
    return this.#state.name !== "calm";
  }

  /** Takes in what the loop did over the last `elapsedMs`. */
  observe({ utilization, delayMs }: LoopReading, elapsedMs: number): void {
    const isOver = utilization >= busyRatio && delayMs > this.#targetMs;
    const state = this.#state;
    if (state.name === "shedding") {
      this.#state = this.#adjusted(state, { utilization, delayMs }, elapsedMs);
      return;
    }
    const forMs = state.name === "pressed" ? state.forMs + elapsedMs : 0;
    if (!isOver) this.#state = { name: "calm" };
    else if (forMs < patienceMs) this.#state = { name: "pressed", forMs };
    else this.#state = { name: "shedding", share: 0, delayMs };
  }

  #adjusted(
    was: Extract<State, { name: "shedding" }>,
    { utilization, delayMs }: LoopReading,
    elapsedMs: number,
  ): State {
    const steps = Math.min(10, elapsedMs / stepMs);
    const isIdling = utilization < busyRatio;
    const change = alpha * (delayMs / this.#targetMs - 1) * steps + (beta * (delayMs - was.delayMs)) / this.#targetMs;
    const share = isIdling
      ? was.share * 0.75 ** steps
      : Math.min(maxShare, was.share + Math.max(-0.1, Math.min(0.1, change)));
    return share < 0.01 && delayMs < this.#targetMs
      ? { name: "calm" }
      : { name: "shedding", share: Math.max(0, share), delayMs };
  }
}
