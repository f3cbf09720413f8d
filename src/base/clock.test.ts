import { getEventListeners } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import { systemClock } from "./clock.ts";

afterEach(() => void vi.restoreAllMocks());

test("timers fire in the order they fall due, each at its own instant", async () => {
  const clock = fakeClock(0);
  const fired: string[] = [];
  clock.setTimer(20, () => fired.push(`b at ${clock.now()}`));
  clock.setTimer(10, () => fired.push(`a at ${clock.now()}`));
  clock.setTimer(30, () => fired.push(`c at ${clock.now()}`));
  await clock.advance(25);
  expect(fired).toEqual(["a at 10", "b at 20"]);
  expect(clock.now()).toBe(25);
});

test("a timer set by a timer fires in the same advance when it falls due in it", async () => {
  const clock = fakeClock(0);
  const fired: number[] = [];
  clock.setTimer(10, () => clock.setTimer(10, () => fired.push(clock.now())));
  await clock.advance(20);
  expect(fired).toEqual([20]);
});

test("a cancelled timer never fires, and cancelling twice is no error", async () => {
  const clock = fakeClock();
  let fired = 0;
  const timer = clock.setTimer(10, () => fired++);
  timer.cancel();
  timer.cancel();
  await clock.advance(100);
  expect(fired).toBe(0);
  expect(clock.pending).toBe(0);
});

test("a sleep ends by time, and leaves no listener on its signal", async () => {
  const clock = fakeClock();
  const { signal } = new AbortController();
  const sleep = clock.sleep(10, signal);
  await clock.advance(10);
  await sleep;
  expect(getEventListeners(signal, "abort")).toEqual([]);
  expect(clock.sleeps).toEqual([10]);
});

test("a sleep rejects with the signal's reason as soon as it aborts, and leaves no timer", async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const sleep = clock.sleep(10, stop.signal);
  stop.abort("enough");
  await expect(sleep).rejects.toBe("enough");
  await expect(clock.sleep(10, stop.signal)).rejects.toBe("enough");
  expect(clock.pending).toBe(0);
});

test("the machine's clock tells the time, fires timers, and takes them back", async () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
  const cancelled = systemClock.setTimer(0, () => expect.unreachable());
  cancelled.cancel();
  await systemClock.sleep(0);
  await new Promise<void>((resolve) => systemClock.setTimer(-5, resolve, true));
});

test("a span beyond what Node's timers can hold does not fire at once", async () => {
  const timer = systemClock.setTimer(2 ** 40, () => expect.unreachable());
  await systemClock.sleep(2);
  timer.cancel();
});

test("the machine's time goes on evenly when its date is changed", async () => {
  const date = vi.spyOn(Date, "now");
  const before = systemClock.now();
  date.mockReturnValue(0);
  expect(systemClock.wall()).toBe(0);
  expect(systemClock.now()).toBeGreaterThanOrEqual(before);
});

test("a span that is added to the machine's time and taken off again is the same span", () => {
  for (let turn = 0; turn < 1_000; turn++) {
    const now = systemClock.now();
    expect(now + 5_000 - now).toBe(5_000);
  }
});

test("who corrects the date moves the calendar and nothing else", async () => {
  const clock = fakeClock(5_000);
  let fired = 0;
  clock.setTimer(10, () => fired++);
  clock.jump(-3_000);
  expect([clock.now(), clock.wall(), fired]).toEqual([5_000, 2_000, 0]);
  await clock.advance(10);
  expect([clock.now(), clock.wall(), fired]).toEqual([5_010, 2_010, 1]);
});

test("a timer of the machine never fires before its time, not even by a fraction of a millisecond", async () => {
  let isOver = false;
  const turn = () => void (isOver || setImmediate(turn)); // a loop that sleeps wakes up late enough by itself
  turn();
  for (let round = 0; round < 60; round++) {
    const setAt = systemClock.now();
    const fired = (resolve: (at: number) => void) => systemClock.setTimer(2, () => resolve(systemClock.now()), true);
    expect((await new Promise<number>(fired)) - setAt).toBeGreaterThanOrEqual(2);
  }
  isOver = true;
});
