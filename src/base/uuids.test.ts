import { validate, version } from "uuid";
import { expect, test } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import { createUuids } from "./uuids.ts";

test("ids grow within a millisecond and from one to the next", async () => {
  const clock = fakeClock();
  const next = createUuids(clock);
  const ids = [next(), next(), next()];
  await clock.advance(1);
  ids.push(next(), next());
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(5);
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
});

test("ids grow even when the clock is set back", () => {
  let now = 2_000;
  const next = createUuids({ ...fakeClock(), now: () => now });
  const first = next();
  now = 1_000;
  expect(next() > first).toBe(true);
});
