import type { MethodName } from "./contract.ts";
import type { Course } from "./course.ts";
import type { Mood } from "./replica-handlers.ts";

/** Something that happens to one of several replicas, and what is asked of them meanwhile. */
export interface Trouble {
  readonly replicas: number;
  /** How all fare before and after, and the others meanwhile. */
  readonly usual: Mood;
  /** What the first replica does meanwhile: nothing any more, or its work in another mood. */
  readonly first: "silent" | Mood;
  readonly perSecond: number;
  /** What is called, in turn. */
  readonly methods: readonly MethodName[];
}

/** When it happens, in milliseconds: it begins at 0. Callers begin `settleMs` before that; what they do until `-beforeMs` is not looked at. */
export const times = { settleMs: 4_000, beforeMs: 2_000, troubleMs: 10_000, afterMs: 3_000 } as const;

/** How each of several callers fared in one run. */
export type Courses = ReadonlyMap<string, Course>;
