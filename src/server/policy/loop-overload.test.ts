import { expect, test } from "vitest";
import { runVirtualLoop, type VirtualLoopOptions } from "../../testing/virtual-loop.ts";
import { LoopOverload } from "./loop-overload.ts";
import { Triage } from "./triage.ts";

/** A loop that sheds as a server does: looked at every 100 ms, on calls. */
function run(options: VirtualLoopOptions) {
  const overload = new LoopOverload();
  const triage = new Triage();
  let lookedAt = 0;
  return runVirtualLoop(options, ({ callClass, now }, loop) => {
    if (now - lookedAt >= 100) {
      overload.observe(loop.read(), now - lookedAt);
      triage.refuse(overload.share);
      lookedAt = now;
    }
    return overload.isPressed && triage.refuses(callClass);
  });
}

test.each([
  ["calls of a millisecond", { costMs: 1 }],
  ["calls of 20 ms", { costMs: 20, refusalMs: 0.03 }],
  ["a deadline of 400 ms, though the second in which it is not believed yet is lost", { deadlineMs: 400 }, 0.85],
  ["a deadline of 5 s", { deadlineMs: 5_000 }],
  ["just one class of calls", { mix: [0, 0, 0, 1, 0, 0] }],
])("at twice its capacity a loop answers nine tenths of what it could in time: %s", (_, options, least = 0.9) => {
  const unshed = runVirtualLoop({ load: () => 2, ...options }, () => false);
  const shed = run({ load: () => 2, ...options });
  expect(shed.goodput).toBeGreaterThan(least);
  expect(unshed.goodput).toBeLessThan(0.6);
});

test("what matters most is answered, what matters least is not", () => {
  const { answered } = run({ load: () => 2, mix: [0.05, 0.15, 0.1, 0.5, 0.05, 0.15] });
  expect(answered[5]).toBeGreaterThan(0.97);
  expect(answered[4]).toBeGreaterThan(0.9);
  expect(answered[3]).toBeGreaterThan(0.5);
  expect(answered[2]).toBeLessThan(0.1);
  expect(answered[1]).toBeLessThan(0.1);
  expect(answered[0]).toBeLessThan(0.1);
});

test.each([
  ["a loop with little to do", { load: () => 0.3 }],
  ["a loop with nearly as much as it can do", { load: () => 0.95 }],
  ["a third of a second of twice the load, now and then", { load: (ms: number) => (ms % 10_000 < 333 ? 2 : 0.6) }],
])("nobody is refused by %s", (_, options) => {
  expect(run({ seconds: 60, ...options }).refused).toBe(0);
});

test("128 callers that each wait for their answer keep a loop busy all the time, and none of them is refused", () => {
  const overload = new LoopOverload();
  for (let i = 0; i < 600; i++) overload.observe({ utilization: 1, delayMs: 128 * 0.5 }, 100);
  expect([overload.share, overload.isPressed]).toEqual([0, false]);
});

test("a stall is no overload: long turns count once they have lasted a second without a break", () => {
  const overload = new LoopOverload();
  overload.observe({ utilization: 1, delayMs: 900 }, 900);
  overload.observe({ utilization: 1, delayMs: 500 }, 500);
  overload.observe({ utilization: 0.5, delayMs: 20 }, 100);
  expect([overload.share, overload.isPressed]).toEqual([0, false]);
  overload.observe({ utilization: 0.6, delayMs: 900 }, 900); // one that idles in between keeps up
  expect(overload.isPressed).toBe(false);
});

test("after an overload everybody is let in again, within two seconds", () => {
  const overload = new LoopOverload();
  for (let i = 0; i < 50; i++) overload.observe({ utilization: 1, delayMs: 100 + 20 * i }, 100);
  expect(overload.share).toBeGreaterThan(0.5);
  for (let i = 0; i < 20; i++) overload.observe({ utilization: 0.5, delayMs: 2 }, 100);
  expect([overload.share, overload.isPressed]).toEqual([0, false]);
});

test("while a queue is being worked off already, nobody is refused to be rid of it sooner", () => {
  const overload = new LoopOverload();
  for (let i = 0; i < 30; i++) overload.observe({ utilization: 1, delayMs: 400 - 10 * i }, 100);
  expect(overload.share).toBeLessThan(0.05);
});

test("the share never reaches all calls, for without any nobody would see the end of it", () => {
  const overload = new LoopOverload();
  for (let i = 0; i < 500; i++) overload.observe({ utilization: 1, delayMs: 5_000 + 100 * i }, 100);
  expect(overload.share).toBeGreaterThan(0.9);
  expect(overload.share).toBeLessThan(1);
});
