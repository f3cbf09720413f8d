import { expect, test } from "vitest";
import { type Course, goodput, lost, quantileMs, recoveryMs, slices, successRatio, within } from "./course.ts";

/** A call every 10 ms from `fromMs` on, each as long as told; those of 1 000 ms have failed. */
function calls(fromMs: number, ...ms: readonly number[]): Course {
  return ms.map((each, index) => ({ method: "read", atMs: fromMs + 10 * index, ms: each, ok: each < 1_000 }));
}

test("a quantile is the time that so many of the calls did not take longer than, whatever their order", () => {
  const course = calls(0, ...Array.from({ length: 100 }, (_, index) => ((index * 37) % 100) + 1));
  expect([0.5, 0.505, 0.99, 1].map((ratio) => quantileMs(course, ratio))).toEqual([50, 51, 99, 100]);
  expect(quantileMs(calls(0, 7), 0.99)).toBe(7);
  expect(quantileMs([], 0.5)).toBeNaN();
});

test("calls belong to the moment at which they were to be sent, however long they took", () => {
  const course = calls(-20, 1, 900, 1, 1_000);
  expect(within(course, { fromMs: 0, toMs: 10 })).toEqual([course[2]]);
  expect(within(course, { fromMs: -20, toMs: 0 }).map(({ ms }) => ms)).toEqual([1, 900]);
  expect(within(course, { fromMs: -20, toMs: 100 }, "write")).toEqual([]);
});

test("lost are those that failed, and the others are the share that succeeded", () => {
  const course = calls(0, 1, 1_000, 1, 1);
  expect(lost(course)).toBe(1);
  expect(successRatio(course)).toBe(0.75);
  expect(successRatio([])).toBeNaN();
});

test("goodput counts by the second what was answered, and in time", () => {
  const course = calls(0, 1, 1_000, 600, 1, 1);
  expect(goodput(course, { fromMs: 0, toMs: 50 }, 500)).toBe(60);
  expect(goodput(course, { fromMs: 0, toMs: 50 }, 800)).toBe(80);
});

test("slices are told in their order, those before 0 too, and those without calls are not", () => {
  const course = [...calls(100, 5, 1_000), ...calls(-50, 1, 2, 3)];
  expect(slices(course, 50)).toEqual([
    { atMs: -50, calls: 3, failed: 0, p50Ms: 2, p99Ms: 3 },
    { atMs: 100, calls: 2, failed: 1, p50Ms: 5, p99Ms: 1_000 },
  ]);
});

test("all has passed when the last slice has ended that was not as usual", () => {
  const usual = { minSuccessRatio: 0.98, maxP99Ms: 20 };
  const span = { fromMs: 1_000, toMs: 1_200 };
  const recovery = (...ms: readonly number[]) => recoveryMs(calls(1_000, ...ms), span, 50, usual);
  expect(recovery(...Array.from({ length: 20 }, () => 5))).toBe(0);
  expect(recovery(5, 1_000, 5, 5, 5, 5)).toBe(50);
  expect(recovery(5, 5, 5, 5, 5, 5, 30, 5, 5, 5, 5)).toBe(100);
  expect(recovery(...Array.from({ length: 20 }, () => 500))).toBe(200);
});
