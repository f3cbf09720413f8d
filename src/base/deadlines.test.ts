import { expect, test } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import { systemClock } from "./clock.ts";
import { Deadlines, type Due } from "./deadlines.ts";

function openDeadlines() {
  const clock = fakeClock();
  const startAt = clock.now();
  const deadlines = new Deadlines(clock);
  const expired: string[] = [];
  const due = (name: string): Due => ({ expire: () => void expired.push(`${name} at ${clock.now() - startAt}`) });
  return { clock, startAt, deadlines, expired, due };
}

test("each expires when its time comes, in whatever order they were added", async () => {
  const { clock, startAt, deadlines, expired, due } = openDeadlines();
  for (const ms of [30, 10, 20, 10]) deadlines.add(startAt + ms, due(`${ms}`));
  await clock.advance(9);
  expect(expired).toEqual([]);
  await clock.advance(1);
  expect(expired).toEqual(["10 at 10", "10 at 10"]);
  await clock.advance(100);
  expect(expired.slice(2)).toEqual(["20 at 20", "30 at 30"]);
  expect(deadlines.size).toBe(0);
  expect(clock.pending).toBe(0);
});

test("a fraction of a millisecond is waited out", async () => {
  const { clock, startAt, deadlines, expired, due } = openDeadlines();
  deadlines.add(startAt + 4.2, due("a"));
  await clock.advance(4.5);
  expect(expired).toEqual([]);
  await clock.advance(0.5);
  expect(expired).toEqual(["a at 5"]);
});

test("what was taken back never expires; taking it back again, or late, is no error", async () => {
  const { clock, startAt, deadlines, expired, due } = openDeadlines();
  const [a, b] = [due("a"), due("b")];
  deadlines.add(startAt + 10, a);
  deadlines.add(startAt + 10, b);
  deadlines.remove(startAt + 10, a);
  deadlines.remove(startAt + 10, a);
  deadlines.remove(startAt + 99, a);
  await clock.advance(20);
  deadlines.remove(startAt + 10, b);
  expect(expired).toEqual(["b at 10"]);
});

test("thousands that are added and removed leave nothing behind, and one timer serves all", async () => {
  const { clock, startAt, deadlines, due } = openDeadlines();
  const all = Array.from({ length: 5_000 }, (_, i) => ({ at: startAt + 1 + ((i * 7919) % 1_000), due: due(`${i}`) }));
  for (const one of all) deadlines.add(one.at, one.due);
  expect(deadlines.size).toBe(5_000);
  expect(clock.pending).toBe(1);
  for (const one of all) deadlines.remove(one.at, one.due);
  expect(deadlines.size).toBe(0);
  expect(clock.pending).toBe(1);
  deadlines[Symbol.dispose]();
  expect(clock.pending).toBe(0);
});

test("when the earliest is taken back, the others still come in time", async () => {
  const { clock, startAt, deadlines, expired, due } = openDeadlines();
  const early = due("early");
  deadlines.add(startAt + 10, early);
  deadlines.add(startAt + 20, due("late"));
  deadlines.remove(startAt + 10, early);
  await clock.advance(30);
  expect(expired).toEqual(["late at 20"]);
});

test("an earlier one that comes later is not kept waiting by one that was there", async () => {
  const { clock, startAt, deadlines, expired, due } = openDeadlines();
  deadlines.add(startAt + 1_000, due("late"));
  await clock.advance(5);
  deadlines.add(startAt + 10, due("early"));
  await clock.advance(5);
  expect(expired).toEqual(["early at 10"]);
});

test("what expires may add others, due before, at and after those that wait", async () => {
  const { clock, startAt, deadlines, expired, due } = openDeadlines();
  const adding: Due = {
    expire() {
      for (const ms of [15, 25, 20]) deadlines.add(startAt + ms, due(`added ${ms}`));
    },
  };
  deadlines.add(startAt + 10, adding);
  deadlines.add(startAt + 20, due("known"));
  await clock.advance(100);
  expect(expired).toEqual(["added 15 at 15", "known at 20", "added 20 at 20", "added 25 at 25"]);
  expect(clock.pending).toBe(0);
});

test("what is added while others expire, and is due already, expires too", async () => {
  const { clock, startAt, deadlines, expired, due } = openDeadlines();
  deadlines.add(startAt + 10, { expire: () => deadlines.add(startAt + 5, due("overdue")) });
  await clock.advance(11);
  expect(expired).toEqual(["overdue at 10"]);
  expect(clock.pending).toBe(0);
});

test("what expires may take back others that are due with it, or later", async () => {
  const { clock, startAt, deadlines, expired, due } = openDeadlines();
  const others = [10, 11, 12].map((ms) => ({ at: startAt + ms, due: due(`${ms}`) }));
  const removing: Due = {
    expire() {
      for (const { at, due } of others.slice(1)) deadlines.remove(at, due);
    },
  };
  deadlines.add(startAt + 10, removing);
  for (const one of others) deadlines.add(one.at, one.due);
  await clock.advance(100);
  expect(expired).toEqual(["10 at 10"]);
  expect(deadlines.size).toBe(0);
  expect(clock.pending).toBe(0);
});

test("on the machine's own clock they come too, not early", async () => {
  const deadlines = new Deadlines(systemClock);
  const at = systemClock.now() + 20;
  const expiredAt = await new Promise<number>((resolve) => {
    deadlines.add(at, { expire: () => resolve(systemClock.now()) });
    systemClock.setTimer(1_000, () => {}, true); // its own timer does not keep the process
  });
  expect(expiredAt).toBeGreaterThanOrEqual(at);
});
