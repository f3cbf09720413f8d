/** Go's units in milliseconds, as far as the contract admits them. */
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A span as Go writes it ("10s", "1m30s", "1.5h") in milliseconds, or undefined if it is empty. */
export function parseGoDuration(text: string): number | undefined {
  if (text === "") return undefined;
  let totalMs = 0;
  for (const [, count = "0", unit = "ms"] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    totalMs += Number(count) * (unitMs[unit] ?? 1);
  }
  return Math.round(totalMs);
}
