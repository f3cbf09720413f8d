/** What one way of measuring found: in words, and by how much it misses what is to be reached, as a share of that. */
export interface Reading {
  readonly text: string;
  /** 0 or less: it is reached. `NaN`: nothing could be measured. */
  readonly missedBy: number;
}

/** One line of what is to be reached. */
export interface Figure {
  readonly what: string;
  readonly toReach: string;
  readonly simulated?: Reading;
  readonly real?: Reading;
}

/** A reading that is to be at most so much. */
export function atMost(must: number, value: number, text: string): Reading {
  return { text, missedBy: must === 0 ? value : (value - must) / must };
}

/** A reading that is to be at least so much. */
export function atLeast(must: number, value: number, text: string): Reading {
  return { text, missedBy: (must - value) / must };
}

/** A reading that just is so, or not. */
export function holds(isSo: boolean, text: string): Reading {
  return { text, missedBy: isSo ? 0 : 1 };
}

/** "met", or "MISSED" and by how much; simulated and real apart where they differ. */
export function verdict({ simulated, real }: Figure): string {
  const readings = [simulated, real].filter((reading) => reading !== undefined);
  if (readings.every(({ missedBy }) => missedBy <= 0)) return "met";
  const parts = [told("simulated", simulated), told("real", real)].filter((part) => part !== undefined);
  return parts.join(", ");
}

function told(way: string, reading: Reading | undefined): string | undefined {
  if (reading === undefined) return undefined;
  const { missedBy } = reading;
  if (missedBy <= 0) return `${way}: met`;
  return `${way}: MISSED${Number.isNaN(missedBy) ? "" : ` by ${(missedBy * 100).toFixed(0)} %`}`;
}
