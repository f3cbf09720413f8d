import { expect, test } from "vitest";
import { type Random, seededRandom } from "../../base/random.ts";
import { FakePlace, fakePlaces, tally } from "../../testing/fake-place.ts";
import { type Attempts, sendTraffic } from "../../testing/fake-traffic.ts";
import { createBalancer } from "./balancers.ts";
import { leastRequest } from "./least-request.ts";
import { slowStartRatio } from "./slow-start.ts";

const served = (_place: FakePlace, _now: number, random: Random) => ({ durationMs: 20 + 20 * random() });

test("of three, the busiest is never picked, and the others by how often they meet", () => {
  const [a, b, c] = ["a", "b", "c"].map((id) => new FakePlace(id)) as [FakePlace, FakePlace, FakePlace];
  const counts = tally(leastRequest(seededRandom(1)).picker([a.busy(2), b.busy(1), c.busy(3)]), 3_000);
  expect(counts.get("c")).toBeUndefined();
  expect(counts.get("b")).toBeGreaterThan(1_850); // two of the three pairs
  expect(counts.get("a")).toBeGreaterThan(850);
});

test("of two, always the idler", () => {
  const picker = leastRequest(seededRandom(1)).picker([new FakePlace("a").busy(2), new FakePlace("b").busy(1)]);
  expect(tally(picker, 100).get("b")).toBe(100);
});

test("a repeat is the better of two as well, of those that are left", () => {
  const places = fakePlaces(4);
  places[1]?.busy(5);
  const picker = leastRequest(seededRandom(1)).picker(places);
  const counts = tally(picker, 1_000, { now: 0, hash: undefined, tried: ["e0", "e2"] });
  expect(counts.get("e3")).toBeGreaterThan(600);
  expect((counts.get("e0") ?? 0) + (counts.get("e2") ?? 0)).toBe(0);
});

/** A newcomer to four places after 10 s, in slow start. */
function withNewcomer(name: "peak-ewma" | "least-request" | "random" | "weighted", perSecond: number): Attempts {
  const balancer = createBalancer(name, { random: seededRandom(1) });
  const old = fakePlaces(4);
  const newcomer = new FakePlace("new");
  newcomer.shareAt = (now) => newcomer.endpoint.weight * slowStartRatio(10_000, now, 30_000);
  const before = balancer.picker(old);
  const after = balancer.picker([...old, newcomer]);
  return sendTraffic({ picker: (now) => (now < 10_000 ? before : after), perSecond, seconds: 60, serve: served });
}

test.each([
  ["peak-ewma", 100],
  ["peak-ewma", 2_000],
  ["least-request", 100],
  ["least-request", 2_000],
  ["random", 500],
  ["weighted", 500],
] as const)("%s brings a newcomer to its full share in half a minute, at %i calls a second", (name, perSecond) => {
  const attempts = withNewcomer(name, perSecond);
  const [first, second, third, full] = [10, 20, 30, 45].map((at) => attempts.ratio("new", at, at === 45 ? 60 : at + 5));
  expect(first).toBeGreaterThan(0.005);
  expect(first).toBeLessThan(0.09);
  expect(second).toBeGreaterThan(first ?? 1);
  expect(third).toBeGreaterThan(second ?? 1);
  expect(full).toBeGreaterThan(0.15);
  expect(full).toBeLessThan(0.25);
});

test.each([
  ["peak-ewma", 20],
  ["peak-ewma", 2_000],
  ["least-request", 20],
  ["least-request", 2_000],
] as const)(
  "%s gives about three times as much for three times the weight, at %i calls a second",
  (name, perSecond) => {
    const places = [...fakePlaces(3), new FakePlace("heavy", { weight: 300 })];
    const picker = createBalancer(name, { random: seededRandom(1) }).picker(places);
    const attempts = sendTraffic({ picker: () => picker, perSecond, seconds: 60, serve: served });
    expect(attempts.ratio("heavy")).toBeGreaterThan(0.4);
    expect(attempts.ratio("heavy")).toBeLessThan(0.62);
  },
);
