import { setTimeout as sleep } from "node:timers/promises";

/** How a load went. */
export interface LoadReport {
  readonly calls: number;
  /** What went wrong, and how often. */
  readonly failures: Readonly<Record<string, number>>;
}

/** After so many failures a load has said what it has to say. */
const enoughFailures = 20;

/** Calls `count` times, `inFlight` at once; a call that fails is noted, and the rest go on. */
export function callTimes(
  count: number,
  inFlight: number,
  call: (turn: number) => Promise<unknown>,
): Promise<LoadReport> {
  return run((turn) => turn < count, inFlight, call);
}

/** A load that goes on until it is told to end. */
export interface SteadyLoad {
  end(): Promise<LoadReport>;
}

/** Calls steadily: `inFlight` callers, each of which rests a moment between two calls, by default 10 ms. */
export function callSteadily(inFlight: number, call: (turn: number) => Promise<unknown>, restMs = 10): SteadyLoad {
  let on = true;
  const running = run(
    () => on,
    inFlight,
    async (turn) => {
      await call(turn);
      await sleep(restMs);
    },
  );
  return {
    end() {
      on = false;
      return running;
    },
  };
}

async function run(
  goOn: (turn: number) => boolean,
  inFlight: number,
  call: (turn: number) => Promise<unknown>,
): Promise<LoadReport> {
  const failures: Record<string, number> = {};
  let [turn, failed] = [0, 0];
  const lane = async () => {
    while (goOn(turn) && failed < enoughFailures) {
      await call(turn++).catch((reason) => {
        failed++;
        failures[String(reason)] = (failures[String(reason)] ?? 0) + 1;
      });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { calls: turn, failures };
}
