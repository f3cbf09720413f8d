import type { MethodName } from "./contract.ts";
import { type Course, goodput, type Span, successRatio, within } from "./course.ts";

/** A server that is asked for twice what it can do, by calls that matter differently. */
export const overload = {
  /** In turn: a fifth matters most, a fifth least. */
  methods: ["critical", "normal", "normal", "normal", "sheddable"],
  /** What it is offered before and after, and meanwhile, by what it can do at best. */
  usualRatio: 0.6,
  loadRatio: 2,
} as const satisfies { readonly methods: readonly MethodName[] } & Record<string, unknown>;

/** When it happens, in milliseconds: the load doubles at 0. */
export const overloadTimes = { settleMs: 4_000, beforeMs: 2_000, troubleMs: 8_000, afterMs: 3_000 } as const;

/** How callers fared, and what the server can do at best. */
export interface OverloadCourse {
  readonly course: Course;
  /** The most calls a second that were answered in time, whatever the load. */
  readonly bestPerSecond: number;
}

/** When the overload is, in milliseconds. */
export const overloaded: Span = { fromMs: 0, toMs: overloadTimes.troubleMs };

/** Calls answered within the time they had, by the most there can be. */
export function goodputRatio({ course, bestPerSecond }: OverloadCourse, withinMs: number): number {
  return goodput(course, overloaded, withinMs) / bestPerSecond;
}

/** The share answered of what matters most, of what matters, and of what matters least. */
export function answeredByCriticality({ course }: OverloadCourse): readonly [number, number, number] {
  const of = (method: MethodName) => successRatio(within(course, overloaded, method));
  return [of("critical"), of("normal"), of("sheddable")];
}

/** The loads of an overload, one after the other: from when to when, and how much of it. */
export function overloadSteps(bestPerSecond: number): readonly (Span & { readonly perSecond: number })[] {
  const { settleMs, troubleMs, afterMs } = overloadTimes;
  const usual = overload.usualRatio * bestPerSecond;
  return [
    { fromMs: -settleMs, toMs: 0, perSecond: usual },
    { fromMs: 0, toMs: troubleMs, perSecond: overload.loadRatio * bestPerSecond },
    { fromMs: troubleMs, toMs: troubleMs + afterMs, perSecond: usual },
  ];
}
