import { expect, test } from "vitest";
import { breakerPresets } from "../../call/policy.ts";
import { Tally } from "./tally.ts";

const now = Date.UTC(2026, 0, 1);

/** Rules by which nothing but shares counts. */
const rules = { ...breakerPresets.default, consecutiveFailures: 1_000 };

/** So many attempts that end like this; what was said of the last. */
function count(tally: Tally, ended: "ok" | "slow" | "failed" | "slow and failed", times: number): string | undefined {
  let why: string | undefined;
  for (let attempt = 0; attempt < times; attempt++) {
    const isSlow = ended.startsWith("slow");
    why = ended.endsWith("failed") ? tally.failed(true, isSlow, now) : tally.succeeded(isSlow, now);
  }
  return why;
}

test("failures that took long count as slow calls, too", () => {
  const tally = new Tally({ ...rules, minSuccessRatio: undefined });
  expect(count(tally, "slow and failed", 9)).toBeUndefined();
  expect(count(tally, "slow", 1)).toBe("10 of 10 calls were slow within 10 s");
  tally.clear();
  expect(count(tally, "slow and failed", 10)).toBe("10 of 10 calls were slow within 10 s");
});

test("once it was cleared nothing that came before counts, neither as a call nor against one", () => {
  const tally = new Tally(rules);
  count(tally, "slow and failed", 10);
  tally.clear();
  expect(count(tally, "failed", 9)).toBeUndefined(); // nine calls
  tally.clear();
  count(tally, "ok", 8);
  expect(count(tally, "failed", 8)).toBeUndefined();
  expect(count(tally, "slow", 4)).toBeUndefined();
});

test("failures in a row outweigh shares when it comes to saying why", () => {
  const tally = new Tally(breakerPresets.default);
  count(tally, "failed", 4);
  count(tally, "ok", 6);
  expect(count(tally, "failed", 5)).toBe("5 failures in a row");
});
