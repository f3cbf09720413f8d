import { expect, test } from "vitest";
import { jsonLogger } from "../base/log.ts";
import { fakeClock } from "../testing/fake-clock.ts";
import { scriptedDiscovery } from "../testing/scripted-discovery.ts";
import { Lease } from "./lease.ts";

/** A lease of the instance "a" in a scripted discovery. Dice always show a half: renewals come every 5 s. */
async function openLease({ away = false } = {}) {
  const clock = fakeClock();
  const discovery = scriptedDiscovery();
  discovery.away = away;
  const logged: string[] = [];
  const log = jsonLogger({ write: (line) => logged.push((JSON.parse(line) as { message: string }).message) });
  const instance = { id: "a", name: "user", host: "127.0.0.1", port: 1 };
  const lease = new Lease({ discovery: discovery.client, instance, clock, random: () => 0.5, log });
  await clock.advance(0);
  const told = () => discovery.told.splice(0);
  return { clock, discovery, lease, logged, told, [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose]() };
}

test("an instance is registered, and renewed every 5 s", async () => {
  await using opened = await openLease();
  await opened.lease.registered();
  expect(opened.told()).toEqual(["register a", "renew a"]);
  await opened.clock.advance(15_000);
  expect(opened.told()).toEqual(["renew a", "renew a", "renew a"]);
});

test("an instance that discovery has forgotten registers again", async () => {
  await using opened = await openLease();
  opened.discovery.known = false;
  await opened.clock.advance(5_000);
  opened.discovery.known = true;
  opened.told();
  await opened.clock.advance(200);
  expect(opened.told()).toEqual(["register a", "renew a"]);
});

test("renewals that nobody answers for 7.5 s are given up for a new stream", async () => {
  await using opened = await openLease();
  opened.discovery.known = undefined;
  await opened.clock.advance(7_500);
  opened.discovery.known = true;
  opened.told();
  await opened.clock.advance(200);
  expect(opened.told()).toEqual(["renew a"]); // known still, so that it need not register
});

test("while discovery is away it is asked less and less often, up to every 5 s, and the log says so once", async () => {
  await using opened = await openLease();
  opened.discovery.away = true;
  await opened.clock.advance(120_000);
  expect(opened.logged).toEqual(["registered", "discovery is away; will register again when it is back"]);
  const asked = opened.clock.sleeps.length;
  await opened.clock.advance(50_000);
  expect(opened.clock.sleeps.length - asked).toBeLessThanOrEqual(21); // half of 5 s each time
  opened.discovery.away = false;
  await opened.clock.advance(5_000);
  expect(opened.told().slice(-1)).toEqual(["renew a"]);
});

test("a start without discovery registers as soon as it is there", async () => {
  await using opened = await openLease({ away: true });
  await opened.clock.advance(10_000);
  expect(opened.told()).toEqual([]);
  opened.discovery.away = false;
  await opened.clock.advance(5_000);
  expect(opened.told().slice(0, 2)).toEqual(["register a", "renew a"]);
});

test("waiting for the registration ends with its signal", async () => {
  await using opened = await openLease({ away: true });
  const patience = new AbortController();
  const registered = opened.lease.registered(patience.signal);
  patience.abort(new Error("enough"));
  await expect(registered).rejects.toThrow("enough");
});

test("a lease that is let go is deregistered, renewed no more, and leaves no timer", async () => {
  const opened = await openLease();
  opened.told();
  await opened[Symbol.asyncDispose]();
  expect(opened.told()).toEqual(["deregister a"]);
  expect(opened.clock.pending).toBe(0);
  await opened.clock.advance(60_000);
  expect(opened.told()).toEqual([]);
});

test("letting go while discovery is away is no error", async () => {
  const opened = await openLease();
  opened.discovery.away = true;
  await opened[Symbol.asyncDispose]();
  expect(opened.logged.at(-1)).toBe("could not deregister; the lease lapses by itself");
});

test("what was never registered is not deregistered", async () => {
  const opened = await openLease({ away: true });
  opened.discovery.away = false;
  await opened[Symbol.asyncDispose]();
  expect(opened.told()).toEqual([]);
  expect(opened.clock.pending).toBe(0);
});
