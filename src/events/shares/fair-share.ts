/** Who lives, of those that share slots out among themselves, and who asks. */
export interface ShareOptions {
  readonly slots: readonly number[];
  /** All who live, the one that asks included. */
  readonly holders: ReadonlySet<string>;
  readonly holder: string;
}

/**
 * How many slots are one holder's: as many as everybody else's, one more for the first few by name where they do not come out
 * even. The shares of all add up to all slots, so nobody waits for one that nobody will give.
 */
export function fairShare({ slots, holders, holder }: ShareOptions): number {
  const ranked = [...holders].sort();
  const rank = ranked.indexOf(holder);
  if (rank < 0) return 0;
  const least = Math.floor(slots.length / ranked.length);
  return least + (rank < slots.length % ranked.length ? 1 : 0);
}
