import type { Clock } from "../../base/clock.ts";
import type { MethodName } from "./contract.ts";
import type { Course, Sample } from "./course.ts";

/** Calls at fixed times, whatever becomes of those before: as users come. */
export interface OpenLoad {
  /** When it begins and when it ends, by the clock. */
  readonly fromAt: number;
  readonly toAt: number;
  /** The instant that the course calls 0. */
  readonly zeroAt: number;
  readonly perSecond: number;
  /** What is called, in turn. */
  readonly methods: readonly MethodName[];
}

/** One call; rejects if it is not answered well. */
export type CallOf = (method: MethodName) => Promise<unknown>;

/**
 * Makes the calls, and resolves when the last one has ended. What a call took counts from when it was to be sent: a
 * caller that falls behind does not hide what its users wait.
 */
export async function runOpenLoad(clock: Clock, load: OpenLoad, call: CallOf): Promise<Course> {
  const { fromAt, toAt, zeroAt, perSecond, methods } = load;
  const under: Promise<Sample>[] = [];
  const count = Math.floor(((toAt - fromAt) / 1_000) * perSecond);
  for (let i = 0; i < count; i++) {
    const dueAt = fromAt + (i * 1_000) / perSecond;
    const waitMs = dueAt - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs);
    const method = methods[i % methods.length];
    if (method !== undefined) under.push(timed(clock, () => call(method), { method, dueAt, zeroAt }));
  }
  return Promise.all(under);
}

interface Due {
  readonly method: MethodName;
  readonly dueAt: number;
  readonly zeroAt: number;
}

async function timed(clock: Clock, call: () => Promise<unknown>, { method, dueAt, zeroAt }: Due): Promise<Sample> {
  const ok = await call().then(
    () => true,
    () => false,
  );
  return { method, atMs: dueAt - zeroAt, ms: clock.now() - dueAt, ok };
}
