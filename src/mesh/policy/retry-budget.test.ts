import { expect, test } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

const start = Date.UTC(2026, 0, 1);

/** How many retries the budget lets through at the instant `now`. */
function spend(budget: RetryBudget, now: number): number {
  let spent = 0;
  while (budget.withdraw(now)) spent++;
  return spent;
}

test("a quiet client may retry three times a second, over ten seconds", () => {
  expect(spend(new RetryBudget(), start)).toBe(30);
});

test("a busy one may retry a fifth of its calls on top", () => {
  const budget = new RetryBudget();
  for (let call = 0; call < 100; call++) budget.deposit(start);
  expect(spend(budget, start)).toBe(50);
});

test("what was spent and what was earned leave the budget after ten seconds", () => {
  const budget = new RetryBudget();
  for (let call = 0; call < 100; call++) budget.deposit(start);
  spend(budget, start);
  expect(spend(budget, start + 9_999)).toBe(0);
  expect(spend(budget, start + 10_000)).toBe(30);
});

test("share and floor can be chosen", () => {
  const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0 });
  expect(spend(budget, start)).toBe(0);
  for (let call = 0; call < 10; call++) budget.deposit(start);
  expect(spend(budget, start)).toBe(5);
});
