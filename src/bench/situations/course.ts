import type { MethodName } from "./contract.ts";

/** How one call went. */
export interface Sample {
  readonly method: MethodName;
  /** When it was to be sent, in milliseconds from the course's 0: it counts from then, whenever it was sent. */
  readonly atMs: number;
  /** From then to its end. */
  readonly ms: number;
  /** Whether it was answered well. */
  readonly ok: boolean;
}

/** Calls of one caller, in the order of their times. */
export type Course = readonly Sample[];

/** A stretch of time, in milliseconds from the course's 0. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How calls fared that were to be sent in one slice of time. */
export interface Slice {
  readonly atMs: number;
  readonly calls: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The calls of a span, and of a method where one is given. */
export function within(course: Course, { fromMs, toMs }: Span, method?: MethodName): Course {
  return course.filter(
    (sample) => sample.atMs >= fromMs && sample.atMs < toMs && (method === undefined || sample.method === method),
  );
}

/** What this share of the calls did not take longer than, failed ones included; `NaN` for none. */
export function quantileMs(course: Course, ratio: number): number {
  const sorted = Float64Array.from(course, ({ ms }) => ms).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * ratio) - 1)] ?? Number.NaN;
}

/** How many of them failed. */
export function lost(course: Course): number {
  return course.reduce((count, { ok }) => count + (ok ? 0 : 1), 0);
}

/** The share that was answered well; `NaN` for none. */
export function successRatio(course: Course): number {
  return 1 - lost(course) / course.length;
}

/** Calls answered well and within `ms`, by the second of the span in which they were to be sent. */
export function goodput(course: Course, span: Span, ms: number): number {
  const good = within(course, span).filter((sample) => sample.ok && sample.ms <= ms).length;
  return (good / (span.toMs - span.fromMs)) * 1_000;
}

/** The course slice by slice; a slice without calls is left out. */
export function slices(course: Course, sliceMs: number): Slice[] {
  const bySlice = Map.groupBy(course, ({ atMs }) => Math.floor(atMs / sliceMs));
  return [...bySlice]
    .sort(([a], [b]) => a - b)
    .map(([index, calls]) => ({
      atMs: index * sliceMs,
      calls: calls.length,
      failed: lost(calls),
      p50Ms: quantileMs(calls, 0.5),
      p99Ms: quantileMs(calls, 0.99),
    }));
}

/** What is as usual. */
export interface Usual {
  readonly minSuccessRatio: number;
  readonly maxP99Ms: number;
}

/**
 * How long after `fromMs` the last slice ended that was not as usual: when it had all passed. 0 if all were; at most
 * what the course has left.
 */
export function recoveryMs(course: Course, { fromMs, toMs }: Span, sliceMs: number, usual: Usual): number {
  const isUsual = ({ calls, failed, p99Ms }: Slice) =>
    1 - failed / calls >= usual.minSuccessRatio && p99Ms <= usual.maxP99Ms;
  const moved = within(course, { fromMs, toMs }).map((sample) => ({ ...sample, atMs: sample.atMs - fromMs }));
  const last = slices(moved, sliceMs).findLast((slice) => !isUsual(slice));
  return last === undefined ? 0 : last.atMs + sliceMs;
}
