import { expect, test } from "vitest";
import type { LoadReport } from "../../call/load-report.ts";
import { type EndpointReports, LoadReports, weightOf } from "./load-report.ts";

const report = (some: Partial<LoadReport> = {}): LoadReport => {
  return { utilization: 0.5, qps: 100, eps: 0, delayMs: undefined, ...some };
};

/** Reports every second from one instant to another. */
function reporting(endpoint: EndpointReports, said: LoadReport, [from, to]: readonly [number, number]): void {
  for (let now = from; now <= to; now += 1_000) endpoint.take(said, now);
}

test("a weight is calls a second over use and errors", () => {
  expect(weightOf(report())).toBe(200);
  expect(weightOf(report({ eps: 50 }))).toBe(100);
  expect(weightOf(report({ utilization: 0.25 }))).toBe(400);
});

test("a report that lacks use or calls makes no weight", () => {
  expect(weightOf(report({ qps: 0 }))).toBeUndefined();
  expect(weightOf(report({ utilization: 0 }))).toBeUndefined();
  expect(weightOf(report({ qps: Number.NaN }))).toBeUndefined();
});

test("who could carry twice as much as the other gets twice the share, and who says nothing an even one", () => {
  const reports = new LoadReports();
  const [idle, busy, silent] = [reports.join(), reports.join(), reports.join()];
  reporting(idle, report({ utilization: 0.4 }), [0, 20_000]);
  reporting(busy, report({ utilization: 0.8 }), [0, 20_000]);
  expect(idle.ratio(20_000) / busy.ratio(20_000)).toBeCloseTo(2);
  expect(idle.ratio(20_000) + busy.ratio(20_000)).toBeCloseTo(2);
  expect(silent.ratio(20_000)).toBe(1);
});

test("reports count after 10 s of them, and no longer than 3 minutes", () => {
  const reports = new LoadReports();
  const [one, other] = [reports.join(), reports.join()];
  reporting(one, report({ qps: 300 }), [0, 20_000]);
  reporting(other, report(), [0, 20_000]);
  expect(one.ratio(9_999)).toBe(1);
  expect(one.ratio(20_000)).toBeCloseTo(1.5);
  expect(one.ratio(199_000)).toBeCloseTo(1.5);
  expect(one.ratio(200_000)).toBe(1);
});

test("reports after a silence have to wait again, and bad ones do not break it", () => {
  const reports = new LoadReports();
  const one = reports.join();
  reporting(one, report(), [0, 20_000]);
  one.take(report({ qps: 0 }), 190_000);
  expect(one.weight(195_000)).toBe(200);
  one.take(report(), 300_000);
  expect(one.weight(300_000)).toBeUndefined();
  expect(one.weight(310_000)).toBe(200);
});

test("a ratio is never above ten nor below a tenth", () => {
  const reports = new LoadReports();
  const few = Array.from({ length: 30 }, () => reports.join());
  for (const [i, one] of few.entries()) {
    reporting(one, report({ utilization: i === 0 ? 0.001 : 0.5 }), [0, 20_000]);
  }
  expect(few[0]?.ratio(20_000)).toBe(10);
  expect(few[1]?.ratio(20_000)).toBe(0.1);
});

test("who has left counts no more", () => {
  const reports = new LoadReports();
  const [one, other] = [reports.join(), reports.join()];
  reporting(one, report({ qps: 300 }), [0, 20_000]);
  reporting(other, report(), [0, 20_000]);
  reports.leave(other);
  expect(one.ratio(20_000)).toBe(1);
});
