import { expect, test } from "vitest";
import { createLoopLoad, idleLoop } from "./loop-load.ts";

/** A loop that does what it is told. */
function scriptedLoop() {
  const counts = { now: 1_000, idleMs: 500, turns: 7 };
  const load = createLoopLoad(() => ({ ...counts }));
  const turns = (count: number, busyMs: number, idleMs = 0) => {
    counts.turns += count;
    counts.idleMs += count * idleMs;
    counts.now += count * (busyMs + idleMs);
  };
  return { load, turns };
}

test("it tells the share of time that code ran, and how long a turn took, since it was asked last", () => {
  const { load, turns } = scriptedLoop();
  turns(10, 2, 8);
  expect(load.read()).toEqual({ utilization: 0.2, delayMs: 2 });
  turns(4, 25);
  expect(load.read()).toEqual({ utilization: 1, delayMs: 25 });
});

test("one long turn among many is a hiccup, not the length of a turn", () => {
  const { load, turns } = scriptedLoop();
  turns(1, 200);
  turns(99, 1, 1);
  expect(load.read().delayMs).toBeLessThan(5);
});

test("a turn that has not ended is as long as it has lasted, however often it is asked about", () => {
  const { load, turns } = scriptedLoop();
  turns(2, 10);
  load.read();
  turns(0, 0);
  for (const soFar of [100, 200, 300]) {
    turns(1, 100);
    turns(-1, 0);
    expect(load.read()).toEqual({ utilization: 1, delayMs: soFar });
  }
  turns(1, 100);
  expect(load.read().delayMs).toBe(400);
});

test("this thread's loop is read without being kept busy by it", async () => {
  const load = createLoopLoad();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { utilization, delayMs } = load.read();
  expect(utilization).toBeGreaterThanOrEqual(0);
  expect(utilization).toBeLessThanOrEqual(1);
  expect(delayMs).toBeGreaterThanOrEqual(0);
  expect(idleLoop.read()).toEqual({ utilization: 0, delayMs: 0 });
});
