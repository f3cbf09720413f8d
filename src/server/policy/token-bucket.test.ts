import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { LocalBuckets } from "./local-buckets.ts";
import { draw, type RateLimit, tokensLeft } from "./token-bucket.ts";

const perSecond = (calls: number, burst = calls): RateLimit => ({ calls, periodMs: 1_000, burst });

/** Buckets on a clock that the test moves. */
function bucketsAt(maxBuckets?: number) {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const buckets = new LocalBuckets({ now: () => clock.now, ...(maxBuckets && { maxBuckets }) });
  const admits = (key: string, limit: RateLimit) => buckets.draw(key, limit).waitMs === 0;
  return { clock, buckets, admits };
}

test("whatever the limit and however calls come, over any time no more get through than burst + rate × time", () => {
  const random = seededRandom(7);
  for (let round = 0; round < 100; round++) {
    const limit = {
      calls: 1 + Math.floor(random() * 50),
      periodMs: [100, 1_000, 7_777, 60_000][Math.floor(random() * 4)] as number,
      burst: 1 + Math.floor(random() * 80),
    };
    const { clock, admits } = bucketsAt();
    const admittedAt: number[] = [];
    for (let call = 0; call < 400; call++) {
      clock.now += random() < 0.4 ? 0 : (random() * 3 * limit.periodMs) / limit.calls;
      if (admits("a", limit)) admittedAt.push(clock.now);
    }
    expect(mostAbove(limit, admittedAt), JSON.stringify(limit)).toBeLessThanOrEqual(0);
  }
});

/** By how many calls more than burst + rate × time got through, over the span in which that is most. */
function mostAbove({ calls, periodMs, burst }: RateLimit, admittedAt: readonly number[]): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const [from, startedAt] of admittedAt.entries()) {
    for (let to = from; to < admittedAt.length; to++) {
      const spanMs = (admittedAt[to] as number) - startedAt + 0.01; // by which the instants are rounded
      most = Math.max(most, to - from + 1 - burst - (calls * spanMs) / periodMs);
    }
  }
  return most;
}

test("a caller that keeps to the rate is never refused, and the whole burst is there after a pause", () => {
  for (const limit of [perSecond(3), perSecond(7, 2), { calls: 3, periodMs: 100, burst: 9 }]) {
    const { clock, admits } = bucketsAt();
    for (let pause = 0; pause < 50; pause++) {
      for (let i = 0; i < limit.burst; i++) expect(admits("a", limit)).toBe(true);
      expect(admits("a", limit)).toBe(false);
      for (let i = 0; i < 30; i++) {
        clock.now += limit.periodMs / limit.calls;
        expect(admits("a", limit)).toBe(true);
      }
      clock.now += (limit.burst * limit.periodMs) / limit.calls;
    }
  }
});

test("who is refused is told how long to wait, and is let through then and not before", () => {
  const limit = perSecond(4, 2);
  const { clock, buckets, admits } = bucketsAt();
  expect([admits("a", limit), admits("a", limit)]).toEqual([true, true]);
  const { waitMs } = buckets.draw("a", limit);
  expect(waitMs).toBeCloseTo(250, 2);
  clock.now += waitMs - 1;
  expect(admits("a", limit)).toBe(false);
  clock.now += 1;
  expect(admits("a", limit)).toBe(true);
});

test("what is left of a bucket is told in whole tokens", () => {
  const limit = perSecond(4, 3);
  const { buckets } = bucketsAt();
  const left = [1, 2, 3].map(() => tokensLeft(limit, buckets.draw("a", limit).fullInMs));
  expect(left).toEqual([2, 1, 0]);
});

test("buckets of two keys have nothing to do with each other", () => {
  const { admits } = bucketsAt();
  expect([admits("a", perSecond(1)), admits("a", perSecond(1)), admits("b", perSecond(1))]).toEqual([
    true,
    false,
    true,
  ]);
});

test("buckets that are full again are forgotten", () => {
  const { clock, buckets } = bucketsAt();
  for (let caller = 0; caller < 5_000; caller++) buckets.draw(`${caller}`, perSecond(1));
  expect(buckets.size).toBe(5_000);
  clock.now += 10_001;
  buckets.draw("new", perSecond(1));
  expect(buckets.size).toBe(1);
});

test("there are never more buckets than there may be, and the least recently asked makes room", () => {
  const { buckets, admits } = bucketsAt(100);
  const limit = perSecond(1);
  for (let caller = 0; caller < 1_000; caller++) {
    buckets.draw("often", limit);
    buckets.draw(`${caller}`, limit);
  }
  expect(buckets.size).toBe(100);
  expect(admits("often", limit)).toBe(false);
});

test("a limit that is lowered, and a clock that goes back, keep nobody out for longer than an empty bucket would", () => {
  const now = Date.UTC(2026, 0, 1);
  expect(draw(perSecond(1), now + 3_600_000, now).waitMs).toBe(1_000);
});
