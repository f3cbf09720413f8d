import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { anyWish, FakePlace, fakePlaces, tally } from "../../testing/fake-place.ts";
import { weighted } from "./weighted.ts";

/** Places of these weights: "e0", "e1", … */
const ofWeights = (weights: readonly number[]) => weights.map((weight, i) => new FakePlace(`e${i}`, { weight }));

test("turns are as frequent as shares are great, to within two turns at any time", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 2, maxLength: 30 });
  fc.assert(
    fc.property(weights, fc.integer(), fc.integer({ min: 1, max: 3_000 }), (of, seed, picks) => {
      const counts = tally(weighted(seededRandom(seed)).picker(ofWeights(of)), picks);
      const total = of.reduce((sum, weight) => sum + weight, 0);
      for (const [i, weight] of of.entries()) {
        const due = (picks * weight) / total;
        expect(Math.abs((counts.get(`e${i}`) ?? 0) - due)).toBeLessThan(2 + due * 0.02 + of.length * (weight / total));
      }
    }),
    { seed: 4 },
  );
});

test("the turns of one are spread over those of others", () => {
  const picker = weighted(seededRandom(1)).picker(ofWeights([300, 100, 100, 100]));
  const ids = Array.from({ length: 60 }, () => picker.pick(anyWish).endpoint.id);
  for (let i = 0; i + 6 <= ids.length; i++) {
    const heavy = ids.slice(i, i + 6).filter((id) => id === "e0").length;
    expect(heavy).toBeGreaterThanOrEqual(2);
    expect(heavy).toBeLessThanOrEqual(4);
  }
});

test("a share that changes is heeded while the snapshot stays", () => {
  const places = fakePlaces(4);
  const [first] = places;
  if (first) first.shareAt = (now) => (now < 10_000 ? 10 : 100);
  const picker = weighted(seededRandom(1)).picker(places);
  expect(tally(picker, 3_100).get("e0")).toBeCloseTo(100, -1);
  tally(picker, 100, { ...anyWish, now: 10_000 });
  expect(tally(picker, 4_000, { ...anyWish, now: 10_000 }).get("e0")).toBeCloseTo(1_000, -1);
});

test("snapshots that live one pick each do not all begin with the heaviest", () => {
  const balancer = weighted(seededRandom(1));
  let heavy = 0;
  for (let i = 0; i < 4_000; i++) {
    if (balancer.picker(ofWeights([300, 100])).pick(anyWish).endpoint.id === "e0") heavy++;
  }
  expect(heavy / 4_000).toBeGreaterThan(0.65);
  expect(heavy / 4_000).toBeLessThan(0.9);
});

test("a repeat goes to the one due first of those that are left, and the turn counts as its own", () => {
  const picker = weighted(seededRandom(1)).picker(fakePlaces(3));
  const counts = tally(picker, 1_000, { ...anyWish, tried: ["e0"] });
  expect(counts.get("e0")).toBeUndefined();
  expect(Math.abs((counts.get("e1") ?? 0) - 500)).toBeLessThan(3);
});
