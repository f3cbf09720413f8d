import { expect, test, vi } from "vitest";
import { silentLogger } from "../base/log.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { LocalBuckets } from "./policy/local-buckets.ts";
import type { Draw, RateLimit } from "./policy/token-bucket.ts";
import { SharedBuckets } from "./shared-buckets.ts";

const limit: RateLimit = { calls: 1, periodMs: 1_000, burst: 4 };

/** Two servers that share one place, which a test can make silent or break. */
function openPlace() {
  const clock = fakeClock();
  const kept = new LocalBuckets({ now: clock.now });
  const place = { mode: "well" as "well" | "silent" | "broken", asked: 0 };
  const ask = async (key: string, of: RateLimit): Promise<Draw> => {
    place.asked++;
    if (place.mode === "broken") throw new Error("connection lost");
    if (place.mode === "silent") return new Promise(() => {});
    return kept.draw(key, of);
  };
  const changes: boolean[] = [];
  const onChange = (isShared: boolean) => changes.push(isShared);
  const log = { ...silentLogger, warn: vi.fn(), info: vi.fn() };
  const one = new SharedBuckets({ ask, clock, log, onChange });
  const other = new SharedBuckets({ ask, clock, log: silentLogger });
  const admits = async (buckets: SharedBuckets, key = "a") => (await buckets.draw(key, limit)).waitMs === 0;
  return { clock, place, one, other, admits, changes, log };
}

test("two servers share one bucket", async () => {
  const { one, other, admits } = openPlace();
  const admitted = [];
  for (const buckets of [one, other, one, other, one, other]) admitted.push(await admits(buckets));
  expect(admitted).toEqual([true, true, true, true, false, false]);
});

test("who is known to have no token left is refused without asking, and asked for again when one has fallen in", async () => {
  const { one, admits, place, clock } = openPlace();
  for (let i = 0; i < 100; i++) await admits(one);
  expect(place.asked).toBe(4);
  await clock.advance(1_000);
  expect(await admits(one)).toBe(true);
  expect(place.asked).toBe(5);
});

test("what another server has taken is known after the first refusal", async () => {
  const { one, other, admits, place } = openPlace();
  for (let i = 0; i < 4; i++) await admits(other);
  place.asked = 0;
  for (let i = 0; i < 10; i++) expect(await admits(one)).toBe(false);
  expect(place.asked).toBe(1);
});

test.each(["broken", "silent"] as const)(
  "while the place is %s each server goes on by itself from what it knows, says so once, and looks for it once a second",
  async (mode) => {
    const { one, admits, place, clock, changes, log } = openPlace();
    await admits(one);
    place.mode = mode;
    place.asked = 0;
    const lost = admits(one);
    await clock.advance(50);
    expect(await lost).toBe(true);
    const alone = await Promise.all([admits(one), admits(one), admits(one)]);
    expect(alone).toEqual([true, true, false]);
    expect(place.asked).toBe(1);
    await clock.advance(1_000);
    const again = [admits(one, "b"), admits(one, "c"), admits(one, "d")];
    await clock.advance(50);
    expect(await Promise.all(again)).toEqual([true, true, true]);
    expect(place.asked).toBe(2);
    expect(log.warn).toHaveBeenCalledOnce();
    expect(changes).toEqual([true, false]);
    place.mode = "well";
    await clock.advance(1_000);
    await admits(one, "e");
    expect(changes).toEqual([true, false, true]);
    await admits(one, "f");
    expect(place.asked).toBe(4);
  },
);

test("no call is held up for longer than the patience", async () => {
  const { one, admits, place, clock } = openPlace();
  place.mode = "silent";
  let settled = 0;
  const calls = Array.from({ length: 20 }, (_, i) => admits(one, `${i}`).then(() => settled++));
  await clock.advance(49);
  expect(settled).toBe(0);
  await clock.advance(1);
  expect(settled).toBe(20);
  await Promise.all(calls);
  expect(clock.pending).toBe(0);
});
