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
  /** Share of calls that fail, with UNAVAILABLE, after as long as others take. */
  readonly failRatio: number;
}

/** A replica that is well: 1 % of its calls take twice as long as half of them. */
export const well: Mood = { medianMs: 5, failRatio: 0 };

const spread = 0.3;

/** What handlers are made of. */
export interface HandlerParts {
  readonly clock: Clock;
  readonly random: Random;
  /** How it fares now. */
  mood(): Mood;
  /** Whoever works on a call; by default each call has somebody to itself. */
  readonly workers?: Workers;
  /** Asks the next of the chain, if there is one. */
  readonly ask?: (signal: AbortSignal) => Promise<unknown>;
}

/** Handlers that take their time, and fail, by the replica's mood. */
export function replicaHandlers({ clock, random, mood, workers, ask }: HandlerParts): ServiceImpl<Stage> {
  const work = async ({ text }: Note, { signal }: HandlerContext) => {
    const { medianMs, failRatio } = mood();
    const take = () => clock.sleep(longTailed(medianMs, spread)(random), signal);
    await (workers === undefined ? take() : workers.run(take, signal));
    if (failRatio > 0 && random() < failRatio) throw new ConnectError("by its mood", Code.Unavailable);
    await ask?.(signal);
    return { text };
  };
  return { read: work, write: work, critical: work, normal: work, sheddable: work };
}
