import type { Course } from "./course.ts";

/**
 * A backend that can do half of what it is asked for: callers ask Front, that asks Middle, and that Back, which has two
 * replicas with a few workers each; each hop may repeat what fails. Meanwhile most of the workers are gone.
 */
export const storm = {
  perSecond: 200,
  /** Each answers 48 calls a second. */
  mood: { medianMs: 20 },
  fastMood: { medianMs: 1 },
  backs: 2,
  workers: 4,
  /** What is left: 96 answers a second for 200 calls. */
  workersLeft: 1,
} as const;

/** When it happens, in milliseconds: the workers go at 0. */
export const stormTimes = { settleMs: 4_000, beforeMs: 2_000, troubleMs: 8_000, afterMs: 6_000 } as const;

/** How callers fared, and what of their calls came to the backend. */
export interface StormCourse {
  readonly course: Course;
  /** When attempts came to Back, in milliseconds from when the workers went. */
  readonly arrivals: readonly number[];
}
