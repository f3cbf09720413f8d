import { World, type WorldOptions } from "./world.ts";

/** How a simulation is run. */
export interface SimulateOptions extends Omit<WorldOptions, "seed"> {
  /** The first seed. Default: what `HEDDLE_SEED` says, else 1. */
  readonly seed?: number;
  /** How many seeds, one after the other. Default 1; with `HEDDLE_SEED`, always 1. */
  readonly seeds?: number;
  /** How a seed is replayed, for the message of a failure. Default: by `HEDDLE_SEED`. */
  readonly replay?: (seed: number) => string;
}

/** What one world came to. */
export interface Simulated {
  readonly seed: number;
  /** A sum over all that happened: two runs of one seed have the same. */
  readonly sum: string;
  readonly events: number;
  /** How much time passed in the world. */
  readonly ms: number;
  /** What it was not to be; `undefined` if it was as it should be. */
  readonly problem: Error | undefined;
  /** All that happened. */
  readonly text: string;
  /** What there was to know of the problem when it was found: the world's faults, and what happened around it. */
  readonly around: string;
}

/** What happens in a world, and what has to hold of it: it throws if that does not. */
export type Scenario = (world: World) => Promise<void>;

/**
 * Runs a scenario in a simulated world: clients, servers and the registry are the real ones, and only sockets, time and
 * dice are not. Once the scenario is over, all that runs is ended, and nothing may be left of it. A scenario that throws
 * fails with the seed that replays it, and with what happened around the failure.
 *
 *     test("orders survive the loss of a replica", () =>
 *       simulate({ seeds: 100 }, async (world) => {
 *         const users = await world.serve("user", ({ clock }) => [[UserService, userService({ clock })]], { replicas: 3 });
 *         const shop = await world.caller("shop");
 *         users.replica(1).crash();
 *         await shop.client(UserService).getUser({ id: 1n });
 *       }));
 */
export async function simulate(options: SimulateOptions, scenario: Scenario): Promise<void> {
  const asked = process.env.HEDDLE_SEED;
  const { seed: first = 1, seeds = 1, replay = (seed) => `HEDDLE_SEED=${seed}`, ...of } = options;
  const [from, count] = asked === undefined ? [first, seeds] : [Number(asked), 1];
  for (let seed = from; seed < from + count; seed++) {
    if ((await runWorld({ ...of, seed }, scenario)).problem === undefined) continue;
    const { problem, around } = await runWorld({ ...of, seed, notesOrigins: true }, scenario); // the same, at length
    throw withSeed(problem, `seed ${seed}; replay it with ${replay(seed)}`, around);
  }
}

/** Runs a scenario once, and says what it came to. Does not reject. */
export async function runWorld(options: WorldOptions, scenario: Scenario): Promise<Simulated> {
  const world = new World(options);
  const { timeline, chronicle } = world;
  let isOver = false;
  let problem: Error | undefined;
  let failedAt: number | undefined;
  const failed = (reason: unknown) => {
    if (problem !== undefined) return;
    failedAt = world.now;
    problem = reason instanceof Error ? reason : new Error(String(reason));
  };
  const course = async () => {
    try {
      await world.registry.start();
      await Promise.race([scenario(world), world.failed]);
    } catch (reason) {
      failed(reason);
    }
    const leftovers = await world.close();
    if (leftovers.length > 0) failed(new Error(`something was left behind: ${leftovers.join("; ")}`));
  };
  void course()
    .catch(failed)
    .finally(() => {
      isOver = true;
    });
  await timeline.run(() => isOver).catch(failed);
  return {
    seed: world.seed,
    sum: chronicle.sum,
    events: timeline.events,
    ms: world.now,
    problem,
    text: chronicle.text(),
    around: chronicle.text(failedAt),
  };
}

/** The error with what its reader needs to see it again. */
function withSeed(
  problem = new Error("it broke once, and not when it ran again: something real is in its way"),
  replay: string,
  around: string,
): Error {
  const made = new Error(`${problem.message}\n${replay}\n${around}`, { cause: problem });
  made.name = problem.name;
  return made;
}
