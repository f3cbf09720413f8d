import type { Dice } from "./dice.ts";
import type { Fault } from "./fault.ts";
import type { World } from "./world.ts";

/** Something that goes wrong at its time, and is over at another. */
export interface PlannedFault {
  /** Milliseconds from when the plan begins. */
  readonly atMs: number;
  readonly forMs: number;
  readonly fault: Fault;
}

/** What may go wrong, and how much of it. */
export interface TroubleOptions {
  /** All is over after so many milliseconds. */
  readonly withinMs: number;
  /** How many faults, at the most. Default 6. */
  readonly most?: number;
  /** Kinds to choose from. Default: all. */
  readonly kinds?: readonly Fault["kind"][];
  /** Hosts to choose from. Default: those of replicas and the registry. */
  readonly hosts?: readonly string[];
}

const allKinds = [
  "cut",
  "black hole",
  "slow",
  "loss",
  "reset",
  "sever",
  "crash",
  "power off",
  "drain",
  "pause",
  "jump",
] as const;

/** Draws what goes wrong, and when, from the dice. */
export function drawTrouble(world: World, dice: Dice, options: TroubleOptions): readonly PlannedFault[] {
  const { withinMs, most = 6, kinds = allKinds } = options;
  const {
    hosts = world.machines
      .filter(({ name }) => !world.callers.some((each) => each.name === name))
      .map(({ name }) => name),
  } = options;
  const planned = Array.from({ length: dice.between(1, most) }, () => {
    const atMs = dice.between(0, withinMs);
    const forMs = Math.min(withinMs - atMs, dice.oneOf([50, 300, 1_000, 3_000, 10_000, 20_000]) * (0.5 + dice()));
    return { atMs, forMs: Math.round(forMs), fault: drawFault(world, dice, dice.oneOf(kinds), dice.oneOf(hosts)) };
  });
  return planned.sort((a, b) => a.atMs - b.atMs);
}

/** Lets a plan take its course. Resolves when all of it is over, and what it ended has been started again. */
export async function follow(world: World, plan: readonly PlannedFault[]): Promise<void> {
  await Promise.all(
    plan.map(async ({ atMs, forMs, fault }) => {
      await world.sleep(atMs);
      const end = world.strike(fault);
      await world.sleep(forMs);
      await end();
    }),
  );
}

function drawFault(world: World, dice: Dice, kind: Fault["kind"], host: string): Fault {
  const others = world.machines.map(({ name }) => name).filter((name) => name !== host);
  const other = dice.oneOf(others);
  switch (kind) {
    case "cut":
      return dice.chance(0.5)
        ? { kind, from: host, to: other, both: dice.chance(0.5) }
        : { kind, from: other, to: host };
    case "slow":
      return { kind, host, factor: dice.oneOf([10, 100, 1_000]) };
    case "loss":
      return { kind, host, ratio: dice.oneOf([0.01, 0.1, 0.3]) };
    case "reset":
    case "sever":
      return { kind, host, other: dice.chance(0.5) ? other : "*" };
    case "jump":
      return { kind, host, ms: dice.oneOf([-3_600_000, -5_000, 5_000, 3_600_000]) };
    default:
      return { kind, host };
  }
}
