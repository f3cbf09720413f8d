import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { FakePlace, fakePlaces } from "../../testing/fake-place.ts";
import { Dice } from "./dice.ts";
import { ShareDice } from "./share-dice.ts";

/** How often each index falls. */
function drawn(dice: ShareDice, length: number, times: number): number[] {
  const counts = new Array<number>(length).fill(0);
  for (let i = 0; i < times; i++) {
    const index = dice.draw();
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

test("each is drawn as often as its share says", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(weights, fc.integer(), (of, seed) => {
      const dice = new ShareDice(
        of.map((weight, i) => new FakePlace(`e${i}`, { weight })),
        seededRandom(seed),
      );
      dice.refresh(0);
      const total = of.reduce((sum, weight) => sum + weight, 0);
      for (const [i, count] of drawn(dice, of.length, 20_000).entries()) {
        const due = ((of[i] ?? 0) / total) * 20_000;
        expect(Math.abs(count - due)).toBeLessThan(6 * Math.sqrt(due) + 6);
      }
    }),
    { seed: 4 },
  );
});

test("shares are read once a second, also on a clock that steps back", () => {
  const places = fakePlaces(2);
  let read = 0;
  for (const place of places) {
    place.shareAt = () => ++read;
  }
  const dice = new ShareDice(places, seededRandom(1));
  const reads = [5_000, 5_999, 6_000, 6_001, 1_000].map((now) => {
    dice.refresh(now);
    return read / 2;
  });
  expect(reads).toEqual([1, 1, 2, 2, 3]);
});

test("the other is any but the one, each as often", () => {
  const dice = new ShareDice(fakePlaces(4), seededRandom(1));
  const counts = new Map<number, number>();
  for (let i = 0; i < 3_000; i++) {
    const other = dice.drawOther(1);
    counts.set(other, (counts.get(other) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([0, 2, 3]);
  for (const count of counts.values()) expect(count).toBeGreaterThan(850);
});

test("dice of the same seed fall alike, and of others not", () => {
  const throws = (seed: number) => {
    const dice = new Dice(seededRandom(seed));
    return Array.from({ length: 10 }, () => dice.below(1_000));
  };
  expect(throws(1)).toEqual(throws(1));
  expect(throws(1)).not.toEqual(throws(2));
});
