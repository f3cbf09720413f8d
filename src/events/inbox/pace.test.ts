import { expect, test } from "vitest";
import { fakeClock } from "../../testing/fake-clock.ts";
import { Pace } from "./pace.ts";

const [few, many] = [10, 500];

test("only events that come late and in great numbers give way: those of a busy moment take what they need", () => {
  const pace = new Pace(fakeClock());
  expect(pace.givesWay(few, 5)).toBe(false);
  expect(pace.givesWay(few, 3_600_000)).toBe(false);
  expect(pace.givesWay(many, 4_999)).toBe(false);
  expect(pace.givesWay(many, 5_000)).toBe(true);
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

test("the rest before a transaction is four times what the one before took, and never longer than 15 ms", async () => {
  const clock = fakeClock();
  const pace = new Pace(clock);
  await pace.rest();
  for (const tookMs of [0, 2, 25, 30_000]) {
    pace.took(tookMs);
    const rest = pace.rest();
    await clock.advance(15);
    await rest;
  }
  expect(clock.sleeps).toEqual([8, 15, 15]);
});

test("what passes until the next transaction is part of the rest", async () => {
  const clock = fakeClock();
  const pace = new Pace(clock);
  pace.took(2);
  await clock.advance(5);
  const rest = pace.rest();
  await clock.advance(3);
  await rest;
  pace.took(2);
  await clock.advance(8);
  await pace.rest();
  expect(clock.sleeps).toEqual([3]);
});
