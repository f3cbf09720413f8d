import { expect, test } from "vitest";
import { dice } from "./dice.ts";

const throws = (of: () => number, count = 20) => Array.from({ length: count }, of);

test("what one throws does not shift what another throws", () => {
  const [alone, beside] = [dice(7), dice(7)];
  throws(beside, 100);
  throws(beside.fork("other"), 100);
  expect(throws(beside.fork("own"))).toEqual(throws(alone.fork("own")));
});

test("dice of other names and other seeds fall otherwise", () => {
  const first = throws(dice(7).fork("a"));
  expect(throws(dice(7).fork("b"))).not.toEqual(first);
  expect(throws(dice(8).fork("a"))).not.toEqual(first);
  expect(throws(dice(7).fork("a").fork("a"))).not.toEqual(first);
});

test("seeds next to each other have nothing in common", () => {
  const firsts = Array.from({ length: 2_000 }, (_, seed) => dice(seed).fork("a")());
  const mean = firsts.reduce((sum, each) => sum + each, 0) / firsts.length;
  expect(mean).toBeGreaterThan(0.47);
  expect(mean).toBeLessThan(0.53);
  expect(firsts.filter((each) => each < 0.1).length).toBeGreaterThan(140);
  expect(new Set(firsts).size).toBe(firsts.length);
});

test("whole numbers reach both of their ends, and choices reach all", () => {
  const one = dice(1);
  expect(new Set(throws(() => one.between(2, 4), 100))).toEqual(new Set([2, 3, 4]));
  expect(new Set(Array.from({ length: 100 }, () => one.oneOf(["a", "b"])))).toEqual(new Set(["a", "b"]));
});
