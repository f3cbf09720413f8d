import { expect, test } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import { whenFree } from "./lock-wait.ts";

const locked = () => new Error("database is locked");

test("work is done as soon as the lock is free", async () => {
  const clock = fakeClock();
  let tries = 0;
  const done = whenFree(() => (++tries < 4 ? Promise.reject(locked()) : "done"), { timeoutMs: 100, clock });
  await clock.advance(10);
  expect(await done).toBe("done");
  expect(tries).toBe(4);
});

test("a lock that stays is given up after the timeout", async () => {
  const clock = fakeClock();
  const done = whenFree(() => Promise.reject(locked()), { timeoutMs: 100, clock });
  const failed = expect(done).rejects.toThrow("locked");
  await clock.advance(120);
  await failed;
  expect(clock.pending).toBe(0);
});

test("any other failure is not waited for", async () => {
  const clock = fakeClock();
  await expect(whenFree(() => Promise.reject(new Error("full")), { timeoutMs: 100, clock })).rejects.toThrow("full");
  expect(clock.sleeps).toEqual([]);
});
