import { setTimeout as sleep } from "node:timers/promises";
import type { Dice } from "../../testing/sim/dice.ts";

/** Something that can be ended with SIGKILL, and started again at its place. */
export interface Victim {
  readonly name: string;
  kill(): Promise<unknown>;
  /** Resolves when it is ready. */
  start(): Promise<unknown>;
}

/** One life that was ended. */
export interface Killing {
  readonly name: string;
  /** Milliseconds since the trouble began. */
  readonly atMs: number;
  readonly awayMs: number;
}

/** How they die. */
export interface KillOptions {
  readonly dice: Dice;
  /** Ends it, once each has died. */
  readonly signal: AbortSignal;
  /** Called whenever each has died once more. */
  readonly onRound: () => void;
}

/** How long all live, and how long one of them is dead, in milliseconds. */
const [quietMs, awayMs] = [
  [300, 1_500],
  [100, 2_000],
] as const;

/**
 * Kills every victim in turn, at random moments, in another order each round, until `signal` aborts and each has died at
 * least once. Each lives again before the next one dies: the system is meant to survive one failure at a time.
 */
export async function killInTurn(
  victims: readonly Victim[],
  { dice, signal, onRound }: KillOptions,
): Promise<Killing[]> {
  const killings: Killing[] = [];
  const beganAt = performance.now();
  for (let round = 0; round === 0 || !signal.aborted; round++) {
    for (const victim of shuffled(victims, dice)) {
      if (round > 0 && signal.aborted) break;
      await sleep(dice.between(...quietMs));
      const atMs = Math.round(performance.now() - beganAt);
      await victim.kill();
      await sleep(dice.between(...awayMs));
      await victim.start();
      killings.push({ name: victim.name, atMs, awayMs: Math.round(performance.now() - beganAt) - atMs });
    }
    onRound();
  }
  return killings;
}

function shuffled<T>(things: readonly T[], dice: Dice): T[] {
  const left = [...things];
  return things.map(() => left.splice(dice.between(0, left.length - 1), 1)[0] as T);
}
