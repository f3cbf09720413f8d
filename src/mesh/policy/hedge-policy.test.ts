import { expect, test } from "vitest";
import type { HedgeRules } from "../../call/policy.ts";
import { type HedgeFacts, hedgeDelayMs } from "./hedge-policy.ts";
import { Latency } from "./latency.ts";

const now = Date.UTC(2026, 0, 1);

const after20: HedgeRules = { after: { delayMs: 20 }, maxExtra: 2 };
const afterP95: HedgeRules = { after: { percentile: 95 }, maxExtra: 1 };

/** A method whose calls take 10 ms, but for one in ten that takes longer. */
function latency(calls: number, slowMs = 100): Latency {
  const latency = new Latency();
  for (let call = 0; call < calls; call++) latency.record(call % 10 === 0 ? slowMs : 10, now);
  return latency;
}

function delayMs(rules: HedgeRules, facts: Partial<HedgeFacts> = {}, seen = latency(0)) {
  const usual = { extras: 0, pushback: undefined, retryDepth: 0, remainingMs: 1_000, now };
  return hedgeDelayMs(rules, seen, { ...usual, ...facts });
}

test("a fixed delay is what the contract says, from the first call on", () => {
  expect(delayMs(after20)).toBe(20);
});

test("a percentile is what the method's calls took of late, and nothing is raced while that is unknown", () => {
  expect(delayMs(afterP95, {}, latency(19))).toBeUndefined();
  expect(delayMs(afterP95, {}, latency(100))).toBeGreaterThan(95);
  expect(delayMs(afterP95, {}, latency(100))).toBeLessThan(105);
  expect(delayMs({ ...afterP95, after: { percentile: 80 } }, {}, latency(100))).toBeLessThan(11);
});

test("what takes no time at all is not raced before a millisecond", () => {
  expect(delayMs({ ...afterP95, after: { percentile: 5 } }, {}, latency(100, 0))).toBe(1);
});

test.each([
  ["all hedges have been sent", { extras: 2 }],
  ["the deadline is sooner", { remainingMs: 20 }],
  ["a hop above repeats the call already", { retryDepth: 1 }],
  ["the server asked not to be asked again", { pushback: "never" }],
  ["the server asked for more time than there is", { pushback: 1_000 }],
] as const)("nothing is raced when %s", (_, facts) => {
  expect(delayMs(after20, facts)).toBeUndefined();
});

test("the second hedge waits as long as the first", () => {
  expect(delayMs(after20, { extras: 1 })).toBe(20);
});

test.each([0, 5, 300])(
  "a server that asks for %d ms sets the time of the next hedge, even where nothing is known",
  (ms) => {
    expect(delayMs(after20, { pushback: ms })).toBe(ms);
    expect(delayMs(afterP95, { pushback: ms })).toBe(ms);
  },
);
