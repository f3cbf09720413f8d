import { expect, test } from "vitest";
import { tooLate } from "./early-refusal.ts";
import { Latency } from "./latency.ts";

const start = Date.UTC(2026, 0, 1);

/**
 * A caller whose calls all have `remainingMs`, one every 10 ms, of a method that takes as long as `tookMs` says; each
 * ends at its deadline at the latest. Answers when calls were sent, in milliseconds from the start.
 */
function callFor(ms: number, remainingMs: number, tookMs: (now: number) => number, latency = new Latency()) {
  const sent: number[] = [];
  const underWay: { readonly endsAt: number; readonly tookMs: number }[] = [];
  for (let now = start; now < start + ms; now += 10) {
    while ((underWay[0]?.endsAt ?? now + 1) <= now) latency.record(underWay.shift()?.tookMs ?? 0, now);
    if (tooLate(remainingMs, latency, now) !== undefined) continue;
    const took = Math.min(remainingMs, tookMs(now - start));
    underWay.push({ endsAt: now + took, tookMs: took });
    sent.push(now - start);
  }
  return { sent, latency };
}

test("a call with less time than half of the calls take is refused, in words that name both", () => {
  const { latency } = callFor(1_000, 1_000, () => 40);
  expect(tooLate(50, latency, start + 1_000)).toBeUndefined();
  expect(tooLate(12, latency, start + 1_000)).toBe("has 12 ms left, and half of its calls take 41 ms or more");
  expect(tooLate(1.26, latency, start + 1_000)).toMatch(/^has 1.3 ms left/);
});

test("while fewer than 20 calls are known nobody is refused", () => {
  const latency = new Latency();
  for (let call = 0; call < 19; call++) latency.record(1_000, start);
  expect(tooLate(1, latency, start)).toBeUndefined();
  latency.record(1_000, start);
  expect(tooLate(1, latency, start)).toBeDefined();
});

test("a slow second alone refuses nobody", () => {
  const latency = new Latency();
  for (let call = 0; call < 100; call++) latency.record(10, start);
  for (let call = 0; call < 50; call++) latency.record(1_000, start + 4_000);
  expect(tooLate(100, latency, start + 4_000)).toBeUndefined();
});

test("when all were refused for a few seconds some go again; that it became fast is known at once", () => {
  const latency = new Latency();
  for (let call = 0; call < 2_000; call++) latency.record(500, start);
  const { sent } = callFor(30_000, 100, () => 5, latency);
  expect(sent[0]).toBeGreaterThan(1_000);
  expect(sent[0]).toBeLessThanOrEqual(4_000);
  const refused = 30_000 / 10 - sent.length;
  expect(refused).toBeLessThanOrEqual(400); // none since
});

test("while it stays slow, only a few go in every few seconds", () => {
  const latency = new Latency();
  for (let call = 0; call < 2_000; call++) latency.record(500, start);
  for (let second = 0; second < 12; second++) {
    const now = start + second * 1_000;
    for (let call = 0; call < 10; call++) if (tooLate(100, latency, now) === undefined) latency.record(500, now);
    expect(latency.recent(0.5, now) === undefined || tooLate(100, latency, now) !== undefined).toBe(true);
  }
});

test("calls refused for so long that nothing is known any more pass again", () => {
  const latency = new Latency();
  for (let call = 0; call < 2_000; call++) latency.record(500, start);
  expect(tooLate(100, latency, start + 1_000)).toBeDefined();
  expect(tooLate(100, latency, start + 20_000)).toBeUndefined();
});
