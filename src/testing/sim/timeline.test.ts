import { setTimeout as realSleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Timeline } from "./timeline.ts";

const timeline = (maxEvents = 10_000) => new Timeline(1_000, maxEvents);

test("time jumps from one event to the next, and stands still between", async () => {
  const time = timeline();
  const seen: number[] = [];
  for (const ms of [30, 10, 20]) time.call(time.now + ms, () => seen.push(time.now));
  await time.run(() => seen.length === 3);
  expect(seen).toEqual([1_010, 1_020, 1_030]);
  expect(time.sinceStart).toBe(30);
});

test("promises and next ticks settle before the next event, however long their chain is", async () => {
  const time = timeline();
  const seen: string[] = [];
  time.call(1_001, () => {
    process.nextTick(async () => {
      for (let i = 0; i < 100; i++) await new Promise<void>((resolve) => process.nextTick(resolve));
      seen.push("settled");
    });
  });
  time.call(1_001, () => seen.push("next"));
  await time.run(() => seen.length === 2);
  expect(seen).toEqual(["settled", "next"]);
});

test("an event that was taken back does not happen", async () => {
  const time = timeline();
  const seen: string[] = [];
  const event = time.call(1_001, () => seen.push("gone"));
  time.call(1_002, () => seen.push("stays"));
  time.cancel(event);
  await time.run(() => seen.length === 1);
  expect(seen).toEqual(["stays"]);
});

test("when nothing is left to happen, waiting for something ends with an error", async () => {
  await expect(timeline().run(() => false)).rejects.toThrow("nothing is left to happen");
});

test("what never rests is stopped", async () => {
  const time = timeline(500);
  const again = () => void time.call(time.now + 1, again);
  again();
  await expect(time.run(() => false)).rejects.toThrow("more than 500 events");
});

test("what an event throws ends the run", async () => {
  const time = timeline();
  time.call(1_001, () => {
    throw new Error("broken");
  });
  await expect(time.run(() => false)).rejects.toThrow("broken");
});

test("time stands still while something real is done", async () => {
  const time = timeline();
  let isOver = false;
  let seen: number | undefined;
  time.call(1_001, () => {
    void time
      .outside(() => realSleep(20))
      .then(() => {
        seen = time.now;
      });
  });
  time.call(1_500, () => {
    isOver = true;
  });
  await time.run(() => isOver);
  expect(seen).toBe(1_001);
});
