import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { dice } from "./dice.ts";
import { Process } from "./process.ts";
import { Timeline } from "./timeline.ts";

function openProcess() {
  const time = new Timeline(0, 10_000);
  const own = new Process("a", time, dice(1));
  /** Lets so many milliseconds pass. */
  const pass = async (ms: number) => {
    let isOver = false;
    time.call(time.now + ms, () => {
      isOver = true;
    });
    await time.run(() => isOver);
  };
  return { time, own, clock: own.clock, pass };
}

test("timers fire at their time, in whole milliseconds and one at the least", async () => {
  const { clock, pass } = openProcess();
  const fired: number[] = [];
  for (const ms of [5.2, 0, -3, 2]) clock.setTimer(ms, () => fired.push(clock.now()));
  await pass(10);
  expect(fired).toEqual([1, 1, 2, 6]);
});

test("a timer that was cancelled does not fire, and none is left of those that fired", async () => {
  const { own, clock, pass } = openProcess();
  const fired: string[] = [];
  clock.setTimer(1, () => fired.push("a"));
  const cancelled = clock.setTimer(2, () => fired.push("b"));
  expect(own.timers).toBe(2);
  cancelled.cancel();
  cancelled.cancel();
  await pass(10);
  expect(fired).toEqual(["a"]);
  expect(own.timers).toBe(0);
});

test("the timers of a process that stands still come late, in their order", async () => {
  const { time, own, clock, pass } = openProcess();
  const fired: [string, number][] = [];
  for (const ms of [30, 10, 20, 200]) clock.setTimer(ms, () => fired.push([`${ms}`, clock.now()]));
  const cancelled = clock.setTimer(25, () => fired.push(["25", clock.now()]));
  await pass(5);
  time.call(105, own.pause());
  await pass(90);
  expect(fired).toEqual([]);
  cancelled.cancel();
  await pass(200);
  expect(fired).toEqual([
    ["10", 105],
    ["20", 105],
    ["30", 105],
    ["200", 200],
  ]);
});

test("nothing happens any more in a process that has ended, and nothing can be begun", async () => {
  const { own, clock, pass } = openProcess();
  let fired = 0;
  clock.setTimer(10, () => fired++);
  own.end();
  clock.setTimer(10, () => fired++);
  own.run(() => fired++);
  await pass(100);
  expect([fired, own.timers]).toEqual([0, 0]);
});

test("its date jumps alone: its timers and its even clock go on", async () => {
  const { own, clock, pass } = openProcess();
  let firedAt: number | undefined;
  clock.setTimer(10, () => {
    firedAt = clock.now();
  });
  own.jump(-5_000);
  await pass(20);
  expect(firedAt).toBe(10);
  expect(clock.wall()).toBe(clock.now() - 5_000);
});

test("a timer runs on behalf of whoever set it", async () => {
  const { clock, pass } = openProcess();
  const storage = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  storage.run("a call", () => clock.setTimer(1, () => seen.push(storage.getStore())));
  clock.setTimer(2, () => seen.push(storage.getStore()));
  await pass(10);
  expect(seen).toEqual(["a call", undefined]);
});
