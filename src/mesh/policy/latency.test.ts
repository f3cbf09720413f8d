import fc from "fast-check";
import { expect, test } from "vitest";
import { breakerPresets } from "../../call/policy.ts";
import { Latency, slowAboveMs } from "./latency.ts";

const start = Date.UTC(2026, 0, 1);

/** What calls took that all ended at one instant. */
function latencyOf(durations: readonly number[], now = start): Latency {
  const latency = new Latency();
  for (const ms of durations) latency.record(ms, now);
  return latency;
}

const same = (count: number, ms: number) => Array<number>(count).fill(ms);

/** How far `told` is off, as a share of the truth. */
const errorOf = (told: number | undefined, truth: number) => Math.abs((told ?? Number.NaN) - truth) / truth;

test("whatever calls took, a quantile is off by less than 5 %", () => {
  const duration = fc.double({ min: 0.07, max: 100_000, noNaN: true });
  const share = fc.constantFrom(0.01, 0.5, 0.9, 0.95, 0.99, 1);
  fc.assert(
    fc.property(fc.array(duration, { minLength: 20, maxLength: 200 }), share, (durations, q) => {
      const exact = durations.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * durations.length) - 1)] as number;
      expect(errorOf(latencyOf(durations).quantile(q, start), exact)).toBeLessThan(0.05);
      expect(errorOf(latencyOf(durations).recent(q, start), exact)).toBeLessThan(0.05);
    }),
  );
});

test("fewer than 20 calls say nothing", () => {
  const latency = latencyOf(same(19, 10));
  expect(latency.quantile(0.5, start)).toBeUndefined();
  latency.record(10, start);
  expect(latency.quantile(0.5, start)).toBeCloseTo(10, 0);
});

test("what takes no time, or more than two minutes, is counted at the ends", () => {
  const latency = latencyOf([...same(10, 0), ...same(10, -1), ...same(20, 3_600_000)]);
  expect(latency.quantile(0.4, start)).toBeLessThan(0.1);
  expect(errorOf(latency.quantile(0.9, start), 131_072)).toBeLessThan(0.05);
});

test("calls are forgotten after 20 s, slice by slice", () => {
  const latency = latencyOf(same(30, 10));
  for (let call = 0; call < 20; call++) latency.record(1_000, start + 2_000);
  expect(latency.quantile(0.5, start + 19_750)).toBeCloseTo(10, 0);
  expect(errorOf(latency.quantile(0.5, start + 20_000), 1_000)).toBeLessThan(0.05);
  expect(latency.quantile(0.5, start + 22_000)).toBeUndefined();
});

test("whenever calls ended, what is known is what the last ten slices saw", () => {
  const call = fc.record({ afterMs: fc.integer({ min: 0, max: 1_000 }), ms: fc.integer({ min: 1, max: 500 }) });
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 200, size: "max" }), (calls) => {
      const latency = new Latency();
      let now = start;
      const ended = calls.map(({ afterMs, ms }) => {
        now += afterMs;
        latency.record(ms, now);
        return { ms, slice: Math.floor(now / 2_000) };
      });
      const kept = ended.filter(({ slice }) => slice > Math.floor(now / 2_000) - 10).map(({ ms }) => ms);
      const told = latency.quantile(0.5, now);
      expect(told === undefined).toBe(kept.length < 20);
      if (told === undefined) return;
      const exact = kept.toSorted((a, b) => a - b)[Math.ceil(kept.length / 2) - 1] as number;
      expect(errorOf(told, exact)).toBeLessThan(0.05);
    }),
  );
});

test("the last seconds can be asked about alone, from five calls on", () => {
  const latency = latencyOf(same(1_000, 10));
  const later = start + 4_000;
  expect(latency.recent(0.5, later)).toBeUndefined();
  for (let call = 0; call < 4; call++) latency.record(100, later);
  expect(latency.recent(0.5, later)).toBeUndefined();
  latency.record(100, later);
  expect(errorOf(latency.recent(0.5, later), 100)).toBeLessThan(0.05);
  expect(errorOf(latency.recent(0.5, later + 2_000), 100)).toBeLessThan(0.05);
  expect(latency.recent(0.5, later + 4_000)).toBeUndefined();
  expect(latency.quantile(0.5, later)).toBeCloseTo(10, 0);
});

test("what took hours leaves what others took alone", () => {
  const latency = latencyOf(same(20, 3_600_000));
  for (let call = 0; call < 20; call++) latency.record(10, start + 2_000);
  expect(latency.recent(0.3, start + 2_000)).toBeCloseTo(10, 0);
});

test("a quantile is computed four times a second at most, and each share has its own", () => {
  const latency = latencyOf(same(20, 10));
  expect(latency.quantile(0.5, start)).toBeCloseTo(10, 0);
  for (let call = 0; call < 100; call++) latency.record(100, start);
  expect(latency.quantile(0.5, start + 249)).toBeCloseTo(10, 0);
  expect(errorOf(latency.quantile(0.95, start + 249), 100)).toBeLessThan(0.05);
  expect(errorOf(latency.quantile(0.5, start + 250), 100)).toBeLessThan(0.05);
  for (let call = 0; call < 1_000; call++) latency.record(1_000, start + 250);
  expect(errorOf(latency.quantile(0.5, start + 500), 1_000)).toBeLessThan(0.05);
  expect(errorOf(latency.quantile(0.95, start + 500), 1_000)).toBeLessThan(0.05);
  expect(latency.recent(0.5, start + 500)).toBe(latency.quantile(0.5, start + 500));
  for (let call = 0; call < 9_000; call++) latency.record(10, start + 600);
  expect(latency.quantile(0.5, start + 750)).toBeCloseTo(10, 0);
  expect(latency.recent(0.5, start + 750)).toBeCloseTo(10, 0);
});

test("a clock that steps back far begins anew", () => {
  const latency = latencyOf(same(100, 10), start + 3_600_000);
  latency.quantile(0.5, start + 3_600_000);
  expect(latency.quantile(0.5, start)).toBeUndefined();
  for (let call = 0; call < 20; call++) latency.record(100, start);
  expect(errorOf(latency.quantile(0.5, start), 100)).toBeLessThan(0.05);
});

test("slow is three times the p95; where that is unknown or of no interest, nothing is", () => {
  const latency = latencyOf([...same(90, 10), ...same(10, 100)]);
  expect(errorOf(slowAboveMs(breakerPresets.default, latency, start), 300)).toBeLessThan(0.05);
  expect(slowAboveMs(breakerPresets.classic, latency, start)).toBe(Number.POSITIVE_INFINITY);
  expect(slowAboveMs(breakerPresets.default, new Latency(), start)).toBe(Number.POSITIVE_INFINITY);
});
