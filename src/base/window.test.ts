import { expect, test } from "vitest";
import { CountWindow } from "./window.ts";

const start = Date.UTC(2026, 0, 1);
const tenSeconds = () => new CountWindow({ slices: 10, sliceMs: 1_000 });

test("what is counted leaves exactly when its slice does", () => {
  const window = tenSeconds();
  window.add(start + 999);
  window.add(start + 1_000, 2);
  expect(window.sum(start + 9_999)).toBe(3);
  expect(window.sum(start + 10_000)).toBe(2);
  expect(window.sum(start + 10_999)).toBe(2);
  expect(window.sum(start + 11_000)).toBe(0);
});

test("one count in each slice sums to as many as there are slices, however long it goes on", () => {
  const window = tenSeconds();
  for (let second = 0; second < 1_000; second++) window.add(start + second * 1_000);
  expect(window.sum(start + 999_000)).toBe(10);
});

test("a pause longer than the window empties it", () => {
  const window = tenSeconds();
  window.add(start, 100);
  expect(window.sum(start + 3_600_000)).toBe(0);
  window.add(start + 3_600_000);
  expect(window.sum(start + 3_600_000)).toBe(1);
});

test("clearing forgets everything", () => {
  const window = tenSeconds();
  window.add(start, 5);
  window.clear();
  expect(window.sum(start)).toBe(0);
  window.add(start);
  expect(window.sum(start + 10_000)).toBe(0);
});

test("a clock that steps back a little loses nothing, and counts go on leaving", () => {
  const window = tenSeconds();
  window.add(start + 5_000);
  window.add(start + 2_000);
  expect(window.sum(start + 2_000)).toBe(2);
  expect(window.sum(start + 15_000)).toBe(0);
});

test("a clock that steps back further than the window begins anew instead of counting for hours", () => {
  const window = tenSeconds();
  window.add(start + 3_600_000, 50);
  window.add(start);
  expect(window.sum(start)).toBe(1);
  expect(window.sum(start + 10_000)).toBe(0);
});
