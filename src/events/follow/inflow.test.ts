import { expect, test } from "vitest";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { orderEvent } from "../../test/suites/inbox-parts.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { Inflow } from "./inflow.ts";

const events = (count: number): Event[] => Array.from({ length: count }, (_, at) => orderEvent("created", `${at}`));

/** Whether a promise has resolved by now. */
async function hasResolved(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
}

test("what comes while the last batch is worked on is taken together, up to 500 events", async () => {
  const inflow = new Inflow(fakeClock());
  for (const readUpTo of [200n, 400n, 600n]) await inflow.push({ events: events(200), readUpTo });
  expect(await inflow.take(1_000)).toMatchObject({ events: { length: 400 }, readUpTo: 400n });
  expect(await inflow.take(1_000)).toMatchObject({ events: { length: 200 }, readUpTo: 600n });
});

test("whoever brings more than two batches waits until there is room", async () => {
  const inflow = new Inflow(fakeClock());
  await inflow.push({ events: events(500), readUpTo: 500n });
  const second = inflow.push({ events: events(500), readUpTo: 1_000n });
  expect(await hasResolved(second)).toBe(false);
  await inflow.take(1_000);
  expect(await hasResolved(second)).toBe(true);
});

test("what has come is taken before the end is told", async () => {
  const inflow = new Inflow(fakeClock());
  await inflow.push({ events: [], readUpTo: 7n });
  inflow.end(new Error("cut off"));
  expect(await inflow.take(1_000)).toEqual({ events: [], readUpTo: 7n });
  await expect(inflow.take(1_000)).rejects.toThrow("cut off");
});

test("when nothing comes for a while, nothing is taken", async () => {
  const clock = fakeClock();
  const inflow = new Inflow(clock);
  const taken = inflow.take(1_000);
  await clock.advance(1_000);
  expect(await taken).toBeUndefined();
  expect(clock.pending).toBe(0);
});
