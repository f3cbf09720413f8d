import type { ChartTimes, Panel } from "./chart.ts";
import type { Figure } from "./figure.ts";

/** How one caller fared, in words: a line of a situation's table. */
export interface CallerRow {
  /** "simulated" or "real", and who. */
  readonly way: string;
  readonly name: string;
  readonly cells: readonly string[];
}

/** A situation that was measured, all that there is to tell of it. */
export interface Situation {
  /** As its picture's file is called. */
  readonly name: string;
  readonly title: string;
  /** What was done, in a sentence or two. */
  readonly about: string;
  readonly figures: readonly Figure[];
  /** What the cells of `rows` say. */
  readonly columns: readonly string[];
  readonly rows: readonly CallerRow[];
  readonly panels: readonly Panel[];
  readonly times: ChartTimes;
}

/** What situations are measured on. */
export type Way = "simulated" | "real";

/** A number of milliseconds for people. */
export function inMs(ms: number): string {
  return `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}

/** A share for people, with so many digits that 99.95 % is not 100 %. */
export function inPercent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}
