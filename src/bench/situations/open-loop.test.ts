import { expect, test } from "vitest";
import { fakeClock } from "../../testing/fake-clock.ts";
import { runOpenLoad } from "./open-loop.ts";

const load = { perSecond: 10, methods: ["read", "read", "write"] } as const;

test("calls come at their times, whether or not those before have ended", async () => {
  const clock = fakeClock();
  const at: number[] = [];
  const startAt = clock.now();
  const course = runOpenLoad(clock, { ...load, fromAt: startAt, toAt: startAt + 500, zeroAt: startAt + 200 }, () => {
    at.push(clock.now() - startAt);
    return clock.sleep(1_000);
  });
  await clock.advance(3_000);
  expect(at).toEqual([0, 100, 200, 300, 400]);
  expect((await course).map(({ method, atMs, ms, ok }) => [method, atMs, ms, ok])).toEqual([
    ["read", -200, 1_000, true],
    ["read", -100, 1_000, true],
    ["write", 0, 1_000, true],
    ["read", 100, 1_000, true],
    ["read", 200, 1_000, true],
  ]);
});

test("a caller that falls behind does not hide it: what a call took counts from when it was to be sent", async () => {
  const clock = fakeClock();
  const startAt = clock.now();
  await clock.advance(350);
  const course = await runOpenLoad(clock, { ...load, fromAt: startAt, toAt: startAt + 300, zeroAt: startAt }, () =>
    Promise.reject(new Error("no")),
  );
  expect(course.map(({ ms, ok }) => [ms, ok])).toEqual([
    [350, false],
    [250, false],
    [150, false],
  ]);
});
