import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { anyWish, FakePlace, fakePlaces, tally } from "../../testing/fake-place.ts";
import { balancerNames, createBalancer } from "./balancers.ts";
import { randomly } from "./random.ts";
import { zoneFirst } from "./zone-first.ts";
import { ZoneShares } from "./zone-shares.ts";

/** So many places in each zone: "a0", "a1", …, "b0", … */
function inZones(counts: Readonly<Record<string, number>>): FakePlace[] {
  return Object.entries(counts).flatMap(([zone, count]) =>
    Array.from({ length: count }, (_, i) => new FakePlace(`${zone}${i}`, { zone })),
  );
}

function pickerOf(places: readonly FakePlace[], zone = "a") {
  const random = seededRandom(1);
  return zoneFirst(randomly(random), { zone, random }).picker(places);
}

/** What part of a client's calls go to each zone. */
function byZone(places: readonly FakePlace[], { zone = "a", now = 0 } = {}): Record<string, number> {
  const ratios: Record<string, number> = {};
  for (const [id, count] of tally(pickerOf(places, zone), 10_000, { ...anyWish, now })) {
    const to = id[0] ?? "";
    ratios[to] = (ratios[to] ?? 0) + count / 10_000;
  }
  return ratios;
}

test("a zone with its share of endpoints, or more, keeps all calls of its callers", () => {
  expect(byZone(inZones({ a: 3, b: 3, c: 3 }))).toEqual({ a: 1 });
  expect(byZone(inZones({ a: 5, b: 3 }))).toEqual({ a: 1 });
});

test("a zone with half of its share keeps half, and the rest goes to zones that have more than theirs", () => {
  const { a, b, c } = byZone(inZones({ a: 2, b: 6, c: 4 })); // each should carry a third: 4
  expect(a).toBeCloseTo(0.5, 1);
  expect(b).toBeCloseTo(0.5, 1);
  expect(c).toBeUndefined();
});

test("what spills over goes by how much more than its part a zone has", () => {
  const { a, b, c } = byZone(inZones({ a: 1, b: 5, c: 6 }));
  expect(a).toBeCloseTo(0.25, 1);
  expect(b).toBeCloseTo(0.25, 1);
  expect(c).toBeCloseTo(0.5, 1);
});

test("endpoints that start slowly leave calls to other zones until they have started", () => {
  const places = inZones({ a: 2, b: 2 });
  for (const place of places.slice(0, 2)) place.shareAt = (now) => (now < 30_000 ? 10 : 100);
  const early = byZone(places, { now: 1_000 });
  expect(early.a).toBeGreaterThan(0.15);
  expect(early.a).toBeLessThan(0.22); // 20 of 220, where half should be
  expect(byZone(places, { now: 31_000 })).toEqual({ a: 1 });
});

test("nobody in the own zone, no zone of its own, or one zone only: the balancer as it is", () => {
  expect(byZone(inZones({ b: 2, c: 2 })).b).toBeCloseTo(0.5, 1);
  expect(byZone(inZones({ a: 2, b: 2 }), { zone: "" }).a).toBeCloseTo(0.5, 1);
  expect(byZone(inZones({ a: 2 }))).toEqual({ a: 1 });
  const unzoned = [...inZones({ a: 2 }), new FakePlace("x"), new FakePlace("y")];
  expect(byZone(unzoned, { zone: "" }).a).toBeCloseTo(0.5, 1);
});

test("a repeat goes to any zone", () => {
  const picker = pickerOf(inZones({ a: 4, b: 4 }));
  const counts = tally(picker, 7_000, { ...anyWish, tried: ["a0"] });
  expect(counts.get("a0")).toBeUndefined();
  for (const id of ["a1", "a2", "a3", "b0", "b1", "b2", "b3"]) expect(counts.get(id)).toBeGreaterThan(800);
});

test("if callers are spread over the zones evenly, each endpoint gets the same for its share", () => {
  const zones = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.integer({ min: 1, max: 9 }), { minKeys: 1 });
  fc.assert(
    fc.property(zones, (counts) => {
      const places = inZones(counts);
      const sent = new Map<string, number>();
      for (const zone of Object.keys(counts)) {
        for (const [to, ratio] of Object.entries(byZone(places, { zone }))) sent.set(to, (sent.get(to) ?? 0) + ratio);
      }
      const perEndpoint = Object.keys(counts).length / places.length;
      for (const [zone, count] of Object.entries(counts)) {
        expect((sent.get(zone) ?? 0) / count / perEndpoint).toBeGreaterThan(0.9);
        expect((sent.get(zone) ?? 0) / count / perEndpoint).toBeLessThan(1.1);
      }
    }),
    { seed: 4, numRuns: 30 },
  );
});

test("a balancer made with a zone stays in it, ring hash does not, since clients of all zones have to agree", () => {
  const places = inZones({ a: 2, b: 2 });
  const options = { random: seededRandom(1), zone: "a" };
  for (const name of balancerNames) {
    const picker = createBalancer(name, options).picker(places);
    const zones = Array.from({ length: 50 }, () => picker.pick(anyWish).endpoint.zone);
    expect(new Set(zones).size).toBe(name === "ring-hash" ? 2 : 1);
  }
});

test("shares of zones are read once a second, also on a clock that steps back", () => {
  const [home, other] = [new FakePlace("a"), new FakePlace("b")];
  let read = 0;
  home.shareAt = () => ++read;
  const shares = new ZoneShares([home], [[other]]);
  const reads = [5_000, 5_999, 6_000, 1_000].map((now) => {
    shares.refresh(now);
    return read;
  });
  expect(reads).toEqual([1, 1, 2, 3]);
});

test("dice that fall at the very end still name a zone that has something to spare", () => {
  const shares = new ZoneShares(fakePlaces(1), [fakePlaces(1), fakePlaces(4)]);
  shares.refresh(0);
  expect(shares.draw(0)).toBe(-1);
  expect(shares.draw(2 ** 30 - 1)).toBe(1);
});
