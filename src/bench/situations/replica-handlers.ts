import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { longTailed } from "../../testing/sim/latency.ts";
import type { Note, Stage } from "./contract.ts";
import type { Workers } from "./workers.ts";

/** How a replica fares. */
export interface Mood {
  /** What half of its calls take less than, in milliseconds. */
  readonly medianMs: number;
  /** Share of calls that fail, with UNAVAILABLE, after as long as others take. Default 0. */
  readonly failRatio?: number;
}

/** 1 % of calls take twice as long as half of them. */
const spread = 0.3;

/** What handlers are made of. */
export interface HandlerParts {
  readonly clock: Clock;
  readonly random: Random;
  /** How it fares now. */
  mood(): Mood;
  /** Whoever works on a call; by default each call has somebody to itself. */
  readonly workers?: Workers | undefined;
  /** Asks the next of the chain, if there is one. */
  readonly ask?: ((signal: AbortSignal) => Promise<unknown>) | undefined;
}

/** Handlers that take their time, and fail, by the replica's mood. */
export function replicaHandlers({ clock, random, mood, workers, ask }: HandlerParts): ServiceImpl<Stage> {
  return allMethods(async ({ text }, { signal }) => {
    const { medianMs, failRatio = 0 } = mood();
    const take = () => clock.sleep(longTailed(medianMs, spread)(random), signal);
    await (workers === undefined ? take() : workers.run(take, signal));
    if (failRatio > 0 && random() < failRatio) throw new ConnectError("by its mood", Code.Unavailable);
    await ask?.(signal);
    return { text };
  });
}

/** Handlers that compute: while they do, their process does nothing else. */
export function busyHandlers(turns: number): ServiceImpl<Stage> {
  return allMethods(({ text }) => {
    compute(turns);
    return { text };
  });
}

type Work = (note: Note, context: HandlerContext) => { text: string } | Promise<{ text: string }>;

function allMethods(work: Work): ServiceImpl<Stage> {
  return { read: work, write: work, critical: work, normal: work, sheddable: work };
}

/** Computes for so many turns; what comes of it only keeps the compiler from leaving it out. */
export function compute(turns: number): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < turns; i++) sum = Math.imul(sum ^ (i & 0xff), 0x01000193);
  return sum;
}
