import { expect, test } from "vitest";
import type { Verdict } from "../../call/outcome.ts";
import { type BreakerRules, breakerPresets } from "../../call/policy.ts";
import { Circuit, type Permit } from "./circuit.ts";

const start = Date.UTC(2026, 0, 1);

/** A circuit without jitter at a time of its own, and attempts that end at once. */
function circuit(rules: BreakerRules = breakerPresets.default) {
  const made = new Circuit(rules, () => 0);
  let now = start;
  return {
    waitMs: () => made.waitMs(now),
    admit: () => made.admit(now),
    record: (verdict: Verdict, permit: Permit) => made.record(verdict, permit, now),
    pass(ms: number) {
      now += ms;
    },
    /** Attempts one after the other, each ending with its verdict. */
    attempts(...verdicts: Verdict[]) {
      for (const verdict of verdicts) made.record(verdict, made.admit(now), now);
    },
  };
}

const failures = (count: number) => Array<Verdict>(count).fill("failure");

test.each([
  ["default", 5, 1_000],
  ["classic", 3, 30_000],
] as const)("the %s circuit opens after %d failures in a row, for %d ms", (preset, inARow, openMs) => {
  const { attempts, waitMs } = circuit(breakerPresets[preset]);
  attempts(...failures(inARow - 1));
  expect(waitMs()).toBe(0);
  attempts("failure");
  expect(waitMs()).toBe(openMs);
});

test("a success between failures begins the count anew; an attempt given up counts for nothing", () => {
  const { attempts, waitMs } = circuit(breakerPresets.classic);
  attempts("failure", "failure", "ok", "failure", "neither", "failure");
  expect(waitMs()).toBe(0);
  attempts("failure");
  expect(waitMs()).toBe(30_000);
});

test("attempts that were under way together and fail together are one failure in the row", () => {
  const { attempts, admit, record, waitMs } = circuit();
  attempts(...Array<Verdict>(50).fill("ok"));
  for (let pause = 1; pause <= 4; pause++) {
    const together = Array.from({ length: 10 }, admit);
    for (const permit of together) record("failure", permit);
    expect(waitMs()).toBe(0);
  }
  attempts("failure");
  expect(waitMs()).toBe(1_000);
});

test("fewer than half succeeding opens it too, from 10 calls on, over the last 10 s exactly", () => {
  const alternating: Verdict[] = ["failure", "failure", "ok"];
  const nine = circuit();
  nine.attempts(...alternating, ...alternating, ...alternating);
  expect(nine.waitMs()).toBe(0); // too few to say
  nine.attempts("failure");
  expect(nine.waitMs()).toBe(1_000);

  const spread = circuit();
  spread.attempts(...alternating, ...alternating, ...alternating);
  spread.pass(10_000);
  spread.attempts("failure");
  expect(spread.waitMs()).toBe(0); // the nine have left the window
});

test("exactly half succeeding keeps it closed, and the classic circuit does not look at shares", () => {
  const half = circuit();
  for (let pair = 0; pair < 50; pair++) half.attempts("ok", "failure");
  expect(half.waitMs()).toBe(0);
  const classic = circuit(breakerPresets.classic);
  for (let round = 0; round < 50; round++) classic.attempts("failure", "failure", "ok");
  expect(classic.waitMs()).toBe(0);
});

test("when its time is up one probe goes, and nobody else until it has ended", () => {
  const { attempts, pass, waitMs, admit, record } = circuit();
  attempts(...failures(5));
  pass(1_000);
  expect(waitMs()).toBe(0);
  const probe = admit();
  expect(waitMs()).toBeGreaterThan(0);
  record("ok", probe);
  expect(waitMs()).toBe(0);
  attempts(...failures(4));
  expect(waitMs()).toBe(0); // closed, and counting from nothing
});

test("each opening in a row lasts twice as long up to the most, and begins anew after a success", () => {
  const { attempts, pass, waitMs } = circuit();
  attempts(...failures(5));
  const lasted: number[] = [];
  for (let opening = 0; opening < 8; opening++) {
    lasted.push(waitMs());
    pass(waitMs());
    attempts("failure");
  }
  expect(lasted).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  pass(waitMs());
  attempts("ok", ...failures(5));
  expect(waitMs()).toBe(1_000);
});

test("jitter makes an opening up to a tenth longer, never shorter", () => {
  const made = new Circuit(breakerPresets.classic, () => 0.5);
  for (let attempt = 0; attempt < 3; attempt++) made.record("failure", made.admit(start), start);
  expect(made.waitMs(start)).toBe(31_500);
});

test("a straggler, admitted before the circuit opened, neither closes nor reopens it, nor passes for the probe", () => {
  const { attempts, pass, waitMs, admit, record } = circuit();
  const straggler = admit();
  const another = admit();
  attempts(...failures(5));
  record("ok", straggler);
  expect(waitMs()).toBe(1_000);
  pass(1_000);
  const probe = admit();
  record("failure", another);
  record("ok", probe);
  expect(waitMs()).toBe(0);
});

test("a probe that says nothing lets another go at once", () => {
  const { attempts, pass, waitMs, admit, record } = circuit();
  attempts(...failures(5));
  pass(1_000);
  record("neither", admit());
  expect(waitMs()).toBe(0);
  attempts("failure");
  expect(waitMs()).toBe(2_000);
});

test("a probe that never ends is lost after 5 s, and its late end is a straggler's", () => {
  const { attempts, pass, waitMs, admit, record } = circuit();
  attempts(...failures(5));
  pass(1_000);
  const lost = admit();
  expect(waitMs()).toBe(5_000);
  pass(5_000);
  const next = admit();
  expect(waitMs()).toBe(5_000);
  record("failure", lost);
  record("ok", next);
  expect(waitMs()).toBe(0);
});
