import { expect, test } from "vitest";
import { Triage } from "./triage.ts";

/** How many of `each` class are refused, where as many have come before and `share` of all is too much. */
function refused(each: readonly number[], share: number): number[] {
  const triage = new Triage();
  const come = () => each.map((count, callClass) => Array.from({ length: count }, () => triage.refuses(callClass)));
  come();
  triage.refuse(share);
  return come().map((calls) => calls.filter(Boolean).length);
}

test("nobody is refused until a share is too much", () => {
  const triage = new Triage();
  for (let callClass = 0; callClass < 6; callClass++) expect(triage.refuses(callClass)).toBe(false);
  expect(refused([10, 10, 10, 10, 10, 10], 0)).toEqual([0, 0, 0, 0, 0, 0]);
});

test("whole classes go before one that matters more loses a call", () => {
  expect(refused([10, 10, 10, 50, 10, 10], 0.05)).toEqual([5, 0, 0, 0, 0, 0]);
  expect(refused([10, 10, 10, 50, 10, 10], 0.2)).toEqual([10, 10, 0, 0, 0, 0]);
  expect(refused([10, 10, 10, 50, 10, 10], 0.5)).toEqual([10, 10, 10, 20, 0, 0]);
  expect(refused([0, 0, 0, 100, 0, 0], 0.25)).toEqual([0, 0, 0, 25, 0, 0]);
  expect(refused([0, 0, 0, 0, 0, 100], 0.75)).toEqual([0, 0, 0, 0, 0, 75]);
});

test("of the class in which the share ends, calls are refused evenly, not in a row", () => {
  const triage = new Triage();
  for (let i = 0; i < 100; i++) triage.refuses(3);
  triage.refuse(0.5);
  expect(Array.from({ length: 6 }, () => triage.refuses(3))).toEqual([false, true, false, true, false, true]);
});

test("it goes by what came of late: classes that have stopped coming do not shield others", () => {
  const triage = new Triage();
  for (let i = 0; i < 1_000; i++) triage.refuses(0);
  for (let look = 0; look < 40; look++) {
    triage.refuse(0.5);
    for (let i = 0; i < 100; i++) triage.refuses(3);
  }
  triage.refuse(0.5);
  const later = Array.from({ length: 100 }, () => triage.refuses(3)).filter(Boolean).length;
  expect(later).toBeGreaterThan(45);
});

test("a share that is no more too much refuses nobody", () => {
  const triage = new Triage();
  for (let i = 0; i < 100; i++) triage.refuses(1);
  triage.refuse(1);
  expect(triage.refuses(0)).toBe(true);
  triage.refuse(0);
  for (let callClass = 0; callClass < 6; callClass++) expect(triage.refuses(callClass)).toBe(false);
});
