import { expect, test } from "vitest";
import { mayEject, pickable } from "./ejection.ts";

/** How many of a fleet end up ejected if all fail. */
function mostEjected(total: number): number {
  let ejected = 0;
  while (ejected < total && mayEject(ejected, total)) ejected++;
  return ejected;
}

test.each([
  [1, 1],
  [2, 1],
  [3, 1],
  [4, 2],
  [5, 2],
  [9, 4],
  [10, 3],
  [11, 3],
  [20, 6],
  [70, 21],
  [1_000, 300],
])("of %i endpoints at most %i are ejected", (total, most) => {
  expect(mostEjected(total)).toBe(most);
});

test("more ejected than may be, after others have gone, is no reason to eject another", () => {
  expect(mayEject(3, 3)).toBe(false);
});

test("with half of them healthy those are picked, with fewer all", () => {
  const all = ["a", "b", "c", "d"];
  expect(pickable(["a", "b"], all)).toEqual(["a", "b"]);
  expect(pickable(["a"], all)).toBe(all);
  expect(pickable([], all)).toBe(all);
  expect(pickable(["a"], ["a", "b", "c"])).toEqual(["a", "b", "c"]);
});

test("of a lone endpoint that is not healthy nobody is left", () => {
  expect(pickable([], ["a"])).toEqual([]);
});

test("ejection alone never causes panic", () => {
  for (let total = 2; total < 200; total++) {
    const healthy = Array.from({ length: total - mostEjected(total) }, (_, i) => i);
    expect(pickable(healthy, new Array(total).fill(0))).toBe(healthy);
  }
});
