import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

const method = {};
const normal = 3;

/** One window of half a second, in which `count` calls took `ms` each. */
function pass(limit: ConcurrencyLimit, count: number, ms: number, of: object = method, isAnswered = true): void {
  for (let i = 0; i < count; i++) limit.begin();
  for (let i = 0; i < count; i++) limit.end(of, ms, isAnswered);
  limit.adjust(500);
}

/** Lets in calls of the class until one is refused, or as many as `most`. */
function room(limit: ConcurrencyLimit, callClass: number, most = 10_000): number {
  let count = 0;
  while (count < most && !limit.refuses(callClass)) {
    limit.begin();
    count++;
  }
  for (let i = 0; i < count; i++) limit.end(method, undefined, true);
  return count;
}

test("there is no limit before calls keep each other waiting, however many are under way", () => {
  const limit = new ConcurrencyLimit();
  pass(limit, 5_000, 10);
  pass(limit, 5_000, 60); // longer, but nobody minds
  expect(limit.limit).toBe(Number.POSITIVE_INFINITY);
  expect(room(limit, 0)).toBe(10_000);
});

test("once they take far longer than at their best, as many are let in as finish in that time and the target", () => {
  const limit = new ConcurrencyLimit();
  pass(limit, 500, 50);
  pass(limit, 500, 400);
  expect(limit.limit).toBe(150); // a call a millisecond, 50 ms each, and 100 ms of waiting
});

test("the last places are for those who matter most; a retry has fewer than a first attempt", () => {
  const limit = new ConcurrencyLimit();
  pass(limit, 500, 50);
  pass(limit, 500, 400);
  const rooms = [0, 1, 2, 3, 4, 5].map((callClass) => room(limit, callClass));
  expect(rooms).toEqual([...rooms].sort((a, b) => a - b));
  expect(new Set(rooms).size).toBe(6);
  expect(rooms[5]).toBe(150);
});

test("slow methods beside quick ones are no overload: each is measured by itself", () => {
  const limit = new ConcurrencyLimit();
  const report = {};
  for (let i = 0; i < 5; i++) {
    pass(limit, 100, 5);
    pass(limit, 100, 3_000, report);
  }
  expect(limit.limit).toBe(Number.POSITIVE_INFINITY);
});

test("a few calls are always let in, whatever they take", () => {
  const limit = new ConcurrencyLimit({ minInFlight: 20 });
  pass(limit, 10, 10);
  for (let i = 0; i < 3; i++) pass(limit, 10, 2_000, method, false);
  expect(limit.limit).toBe(20);
});

test("errors that say nothing of the time taken are no measure", () => {
  const limit = new ConcurrencyLimit();
  pass(limit, 500, 50);
  for (let i = 0; i < 100; i++) limit.begin();
  for (let i = 0; i < 100; i++) limit.end(method, undefined, false);
  limit.adjust(500);
  pass(limit, 500, 80);
  expect(limit.limit).toBe(Number.POSITIVE_INFINITY);
  expect(limit.inFlight).toBe(0);
});

test("while it refuses it lets in a little more after each good window, and ends when it has refused nobody", () => {
  const limit = new ConcurrencyLimit();
  pass(limit, 500, 50);
  pass(limit, 500, 400);
  expect(room(limit, normal)).toBeLessThan(150);
  pass(limit, 500, 100);
  expect(limit.limit).toBeCloseTo(150 * 1.1);
  pass(limit, 500, 100);
  expect(limit.limit).toBe(Number.POSITIVE_INFINITY);
});

test("calls that are slow even where no others are let in have a new best: it does not refuse for ever", () => {
  const limit = new ConcurrencyLimit();
  pass(limit, 500, 10);
  let windows = 0;
  do pass(limit, 10, 1_000, method, true);
  while (limit.limit === 20 && ++windows < 100);
  expect(windows).toBeLessThan(10);
});

/** Calls for a pool of 10 workers, each busy 10 ms with one, at `load` times what they can do: the share of answers in time. */
function goodput(load: number, limit: ConcurrencyLimit | undefined, seconds = 20): number {
  const random = seededRandom(3);
  const spread = () => -Math.log(1 - random());
  const free = Array.from({ length: 10 }, () => 0);
  const ends: { readonly at: number; readonly since: number }[] = [];
  let inTime = 0;
  let adjustedAt = 0;
  for (let now = 0; now < seconds * 1_000; now += spread() / load) {
    for (let next = ends.at(-1); next !== undefined && next.at <= now; next = ends.at(-1)) {
      ends.pop();
      limit?.end(method, next.at - next.since, next.at - next.since <= 1_000);
      if (next.at - next.since <= 1_000) inTime++;
    }
    if (now - adjustedAt >= 500) {
      limit?.adjust(now - adjustedAt);
      adjustedAt = now;
    }
    if (limit?.refuses(normal)) continue;
    limit?.begin();
    free.sort((a, b) => a - b);
    const at = Math.max(now, free[0] ?? 0) + 10 * spread();
    free[0] = at;
    ends.splice(ends.findLastIndex((other) => other.at > at) + 1, 0, { at, since: now }); // the next to end is last
  }
  return inTime / (seconds * 1_000);
}

test("at twice the capacity of a pool behind it, nine tenths of what it can answer is answered in time", () => {
  expect(goodput(2, new ConcurrencyLimit())).toBeGreaterThan(0.9);
  expect(goodput(2, undefined, 10)).toBeLessThan(0.3);
});

test("long overload does not become what overload is measured by", () => {
  const limit = new ConcurrencyLimit();
  expect(goodput(2, limit, 120)).toBeGreaterThan(0.95);
  expect(limit.limit).toBeLessThan(500); // half a second's worth of calls
});

test("nobody is refused below its capacity", () => {
  const limit = new ConcurrencyLimit();
  expect(goodput(0.85, limit)).toBeGreaterThan(0.83);
  expect(limit.limit).toBe(Number.POSITIVE_INFINITY);
});
