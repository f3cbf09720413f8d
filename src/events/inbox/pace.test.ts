import { expect, test } from "vitest";
import { fakeClock } from "../../testing/fake-clock.ts";
import { Pace } from "./pace.ts";

const [few, many] = [10, 500];

test("only events that come in great numbers give way", () => {
  const pace = new Pace(fakeClock());
  expect(pace.givesWay(few, 5)).toBe(false);
  expect(pace.givesWay(few, 3_600_000)).toBe(false);
  expect(pace.givesWay(many, 5)).toBe(true);
});

test("a backlog that gets no later gives way until it is worked off, however late it is", () => {
  const pace = new Pace(fakeClock());
  for (let delayMs = 7_200_000; delayMs > 0; delayMs -= 60_000) expect(pace.givesWay(many, delayMs)).toBe(true);
});

test("a backlog that falls behind by more than a minute gives way no longer, until it is worked off", () => {
  const pace = new Pace(fakeClock());
  expect(pace.givesWay(many, 30_000)).toBe(true);
  expect(pace.givesWay(many, 10_000)).toBe(true);
  expect(pace.givesWay(many, 70_000)).toBe(true);
  expect(pace.givesWay(many, 70_001)).toBe(false);
  expect(pace.givesWay(many, 20_000)).toBe(false);
  expect(pace.givesWay(few, 5)).toBe(false);
  expect(pace.givesWay(many, 30_000)).toBe(true);
});

test("the rest is four times what a transaction took, and never longer than 15 ms", async () => {
  const clock = fakeClock();
  const pace = new Pace(clock);
  for (const tookMs of [0, 2, 25, 30_000]) {
    const rest = pace.rest(tookMs);
    await clock.advance(15);
    await rest;
  }
  expect(clock.sleeps).toEqual([8, 15, 15]);
});
