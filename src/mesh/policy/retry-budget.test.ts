import fc from "fast-check";
import { expect, test } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

const start = Date.UTC(2026, 0, 1);

function deposit(budget: RetryBudget, method: string, { calls, now = start }: { calls: number; now?: number }): void {
  for (let call = 0; call < calls; call++) budget.deposit(method, now);
}

/** How many retries of the method the budget lets through at the instant `now`. */
function spend(budget: RetryBudget, method: string, now = start): number {
  let spent = 0;
  while (budget.withdraw(method, now)) spent++;
  return spent;
}

test("a quiet client may retry three times a second, over ten seconds", () => {
  expect(spend(new RetryBudget(), "a")).toBe(30);
});

test("a busy one may retry a fifth of its calls on top", () => {
  const budget = new RetryBudget();
  deposit(budget, "a", { calls: 101 });
  expect(spend(budget, "a")).toBe(50);
});

test("what was spent leaves the budget after ten seconds, and what was earned does not outlive it", () => {
  const budget = new RetryBudget();
  deposit(budget, "a", { calls: 100 });
  spend(budget, "a");
  expect(spend(budget, "a", start + 10_000)).toBe(0);
  expect(spend(budget, "a", start + 10_500)).toBe(30);
});

test("share and floor can be chosen", () => {
  const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0 });
  expect(spend(budget, "a")).toBe(0);
  deposit(budget, "a", { calls: 10 });
  expect(spend(budget, "a")).toBe(5);
});

test("a noisy method may use what nobody owns, and leaves the quiet one a tenth of its calls and half of the even part", () => {
  const budget = new RetryBudget();
  deposit(budget, "quiet", { calls: 20 });
  deposit(budget, "noisy", { calls: 1_000 });
  expect(spend(budget, "noisy")).toBe(224); // of 0.2 × 1 020 + 30, without the quiet one's
  expect(spend(budget, "quiet")).toBe(10); // 0.1 × 20 + 15 / 2, and the half that was of no use to the noisy one
});

test("what the noisy one took is not asked back from the quiet one, which may use what nobody owns as well", () => {
  const budget = new RetryBudget();
  deposit(budget, "quiet", { calls: 10 });
  deposit(budget, "noisy", { calls: 10 });
  expect(spend(budget, "quiet")).toBe(25);
  expect(spend(budget, "noisy")).toBe(9);
});

test("a method that calls only now and then finds its part each time", () => {
  const budget = new RetryBudget();
  deposit(budget, "rare", { calls: 1 });
  for (let now = start; now < start + 60_000; now += 100) {
    deposit(budget, "noisy", { calls: 10, now });
    spend(budget, "noisy", now);
  }
  budget.deposit("rare", start + 60_000);
  expect(spend(budget, "rare", start + 60_000)).toBeGreaterThanOrEqual(7);
});

test("many methods can use the budget, though the part of each is less than one", () => {
  const budget = new RetryBudget();
  for (let number = 0; number < 60; number++) budget.deposit(`${number}`, start);
  expect(spend(budget, "noisy")).toBeGreaterThan(15);
});

const methods = ["a", "b", "c", "d", "e"];

test("whatever methods do, no ten seconds that end with a retry saw more than a fifth of the calls, and 30", () => {
  const act = fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3_000 })),
    calls: fc.nat(60),
    retries: fc.nat(60),
    method: fc.constantFrom(...methods),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 100, size: "max" }), fc.nat(1_000), (acts, offsetMs) => {
      const budget = new RetryBudget();
      const begun: number[] = [];
      const repeated: number[] = [];
      let now = start + offsetMs;
      const lately = (instants: number[]) => instants.filter((at) => at > now - 10_000).length;
      for (const { afterMs, calls, retries, method } of acts) {
        now += afterMs;
        deposit(budget, method, { calls, now });
        begun.push(...Array<number>(calls).fill(now));
        for (let retry = 0; retry < retries; retry++) if (budget.withdraw(method, now)) repeated.push(now);
        if (repeated.at(-1) === now) expect(lately(repeated)).toBeLessThanOrEqual(0.2 * lately(begun) + 30);
      }
    }),
  );
});

test("beside methods that take all they can get, a quiet one always has what it owns", () => {
  const rates = fc.array(fc.nat(40), { minLength: 2, maxLength: 8 });
  const instant = fc.integer({ min: 10_000, max: 40_000 });
  fc.assert(
    fc.property(rates, instant, fc.nat(499), ([quietRate = 0, ...noisyRates], askedAfterMs, offsetMs) => {
      const budget = new RetryBudget();
      const calls = [quietRate, ...noisyRates];
      let now = start + offsetMs;
      for (const number of calls.keys()) budget.deposit(`${number}`, now - 20_000); // known from of old
      for (; now < start + askedAfterMs; now += 100) {
        for (const [number, rate] of calls.entries()) deposit(budget, `${number}`, { calls: rate, now });
        for (const number of noisyRates.keys()) spend(budget, `${number + 1}`, now);
      }
      const owned = 0.1 * quietRate * 90 + 15 / calls.length; // of the last nine seconds
      expect(spend(budget, "0", now)).toBeGreaterThanOrEqual(Math.floor(owned));
    }),
    { numRuns: 60 },
  );
});

test("what hops above send again is taken out too, so that a chain has no more than one budget", () => {
  const budget = new RetryBudget();
  for (let call = 0; call < 100; call++) budget.deposit("Get", 0);
  for (let repeat = 0; repeat < 40; repeat++) budget.pay("Get", 0);
  const left = Array.from({ length: 100 }, () => budget.withdraw("Get", 0)).filter(Boolean);
  expect(left).toHaveLength(0.2 * 100 + 30 - 40);
  for (let repeat = 0; repeat < 100; repeat++) budget.pay("Get", 0);
  expect(budget.withdraw("Get", 0)).toBe(false);
});
