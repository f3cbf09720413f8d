import { AsyncLocalStorage } from "node:async_hooks";
import { type Clock, sleepOn, type Timer } from "../../base/clock.ts";
import type { Dice } from "./dice.ts";
import type { Happening } from "./event-queue.ts";
import type { Timeline } from "./timeline.ts";

/** Whether its code runs: it may stand still for a while, as an event loop does that is blocked; what ended stays ended. */
type State =
  | { readonly name: "running" }
  | { readonly name: "paused"; readonly missed: (() => void)[] }
  | { readonly name: "ended" };

/**
 * A process of the simulated world: what runs in it has a clock and dice of its own. All that happens to it goes through
 * `run`, so that it can be stopped in its tracks, or ended.
 */
export class Process {
  readonly name: string;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly #timeline: Timeline;
  readonly #timers = new Set<ProcessTimer>();
  readonly #endListeners = new Set<() => void>();
  readonly #notesOrigins: boolean;
  #wallOffsetMs = 0;
  #pauses = 0;
  #state: State = { name: "running" };

  /** With `notesOrigins` each timer knows where it was set, which takes longer than all the rest. */
  constructor(name: string, timeline: Timeline, dice: Dice, notesOrigins = false) {
    this.name = name;
    this.dice = dice;
    this.#notesOrigins = notesOrigins;
    this.#timeline = timeline;
    const setTimer = (ms: number, fn: () => void) => this.#setTimer(ms, fn);
    this.clock = {
      now: () => timeline.now,
      wall: () => Math.floor(timeline.now) + this.#wallOffsetMs,
      setTimer,
      sleep: (ms, signal) => sleepOn({ setTimer }, ms, signal),
    };
  }

  /** Timers that were set and have neither fired nor been cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Where each of them was set, if that is noted. */
  get timerOrigins(): readonly string[] {
    return [...this.#timers].map(({ origin }) => origin);
  }

  get isEnded(): boolean {
    return this.#state.name === "ended";
  }

  /** The date it goes by is put forward, or back. */
  jump(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** Calls `happen` now, or when the process goes on; never, if it has ended. */
  run(happen: () => void): void {
    if (this.#state.name === "running") happen();
    else if (this.#state.name === "paused") this.#state.missed.push(happen);
  }

  /** Stops it; returns what lets it go on, unless something else stops it, too. What it missed happens then, in order. */
  pause(): () => void {
    this.#pauses++;
    if (this.#state.name === "running") this.#state = { name: "paused", missed: [] };
    let isOver = false;
    return () => {
      if (!isOver && --this.#pauses === 0) this.#goOn();
      isOver = true;
    };
  }

  /** Calls `listener` when it ends: now, if it has. */
  onEnd(listener: () => void): void {
    if (this.isEnded) listener();
    else this.#endListeners.add(listener);
  }

  /** Ends it between two of its instructions: nothing that it had begun goes on. */
  end(): void {
    if (this.#state.name === "ended") return;
    this.#state = { name: "ended" };
    for (const timer of this.#timers) timer.cancel();
    for (const listener of this.#endListeners) listener();
    this.#endListeners.clear();
  }

  /** What it missed happens as events of their own, so that promises settle between any two. */
  #goOn(): void {
    if (this.#state.name !== "paused") return;
    const { missed } = this.#state;
    this.#state = { name: "running" };
    for (const happen of missed) this.#timeline.call(this.#timeline.now, () => this.run(happen));
  }

  /** As Node's timers are: a millisecond at the least, in whole ones. */
  #setTimer(ms: number, fn: () => void): Timer {
    if (this.isEnded) return noTimer;
    const timer = new ProcessTimer(this, this.#timers, this.#timeline, fn);
    if (this.#notesOrigins) timer.origin = originOf(new Error(`a timer of ${ms} ms`));
    this.#timers.add(timer);
    this.#timeline.at(this.#timeline.now + Math.max(1, Math.ceil(ms)), timer);
    return timer;
  }
}

/** What was set, and the calls that led there, nearest first. */
function originOf({ message, stack = "" }: Error): string {
  const calls = stack.split("\n").filter((line) => line.includes("/src/") && !line.includes("/sim/process.ts"));
  return [message, ...calls.slice(0, 4).map((line) => line.trim().replace(/\(.*\/src\//, "(src/"))].join(" ");
}

const noTimer: Timer = { cancel() {} };

/** A timer runs in the context in which it was set, as Node's do. */
class ProcessTimer implements Happening, Timer {
  at = 0;
  order = 0;
  place = -1;
  origin = "";
  readonly #process: Process;
  readonly #all: Set<ProcessTimer>;
  readonly #timeline: Timeline;
  readonly #fn: () => void;
  readonly #inContext = AsyncLocalStorage.snapshot();

  constructor(process: Process, all: Set<ProcessTimer>, timeline: Timeline, fn: () => void) {
    this.#process = process;
    this.#all = all;
    this.#timeline = timeline;
    this.#fn = fn;
  }

  happen(): void {
    this.#process.run(this.#fire);
  }

  cancel(): void {
    if (this.#all.delete(this)) this.#timeline.cancel(this);
  }

  /** One that was cancelled while its process stood still does not fire. */
  readonly #fire = (): void => {
    if (this.#all.delete(this)) this.#inContext(this.#fn);
  };
}
