/** What a newcomer begins with. */
const firstRatio = 0.1;

/**
 * What part of its share an endpoint gets that was first seen at `seenAt`: a tenth at first, all of it after `rampMs`, in
 * a straight line between. A process that has just started is slow, its caches are empty and its code is not yet
 * compiled: a full share at once would show in its callers' p99.
 */
export function slowStartRatio(seenAt: number, now: number, rampMs: number): number {
  const ageMs = now - seenAt;
  if (ageMs >= rampMs) return 1;
  return firstRatio + (1 - firstRatio) * Math.max(0, ageMs / rampMs);
}
