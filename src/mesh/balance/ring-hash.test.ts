import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { anyWish, FakePlace, fakePlaces } from "../../testing/fake-place.ts";
import { hashOf } from "./hash.ts";
import type { Picker } from "./picker.ts";
import { Ring } from "./ring.ts";
import { ringHash } from "./ring-hash.ts";

const keys = Array.from({ length: 10_000 }, (_, i) => hashOf(`user-${i}`));
const ringOf = (places: readonly FakePlace[], seed = 1) => ringHash(seededRandom(seed)).picker(places);
const home = (picker: Picker<FakePlace>, hash: number) => picker.pick({ ...anyWish, hash }).endpoint.id;

test("what has the same hash goes to the same endpoint, from all clients, in whatever order they know endpoints", () => {
  const one = ringOf(fakePlaces(10), 1);
  const other = ringOf(fakePlaces(10).reverse(), 2);
  for (const key of keys) expect(home(one, key)).toBe(home(other, key));
});

test("a hash with a sign and the same without are one", () => {
  const picker = ringOf(fakePlaces(10));
  for (const key of keys.slice(0, 1_000)) expect(home(picker, key >>> 0)).toBe(home(picker, key | 0));
});

test.each([3, 10, 50])("of %i endpoints, one that leaves moves only what was its own, and about its share", (count) => {
  const places = fakePlaces(count);
  const before = ringOf(places);
  const after = ringOf(places.slice(1));
  const moved = keys.filter((key) => home(before, key) !== home(after, key));
  for (const key of moved) expect(home(before, key)).toBe("e0");
  expect(moved.length / keys.length).toBeLessThan(1.35 / count);
  expect(moved.length / keys.length).toBeGreaterThan(0.65 / count);
});

test("what one leaves behind is spread over many", () => {
  const places = fakePlaces(10);
  const before = ringOf(places);
  const after = ringOf(places.slice(1));
  const orphans = keys.filter((key) => home(before, key) === "e0");
  expect(new Set(orphans.slice(0, 300).map((key) => home(after, key))).size).toBe(9);
});

test("keys are shared out by weight", () => {
  const picker = ringOf([...fakePlaces(4), new FakePlace("heavy", { weight: 400 })]);
  const heavy = keys.filter((key) => home(picker, key) === "heavy").length / keys.length;
  expect(heavy).toBeGreaterThan(0.4);
  expect(heavy).toBeLessThan(0.6);
});

test("without a hash a call goes anywhere", () => {
  const picker = ringOf(fakePlaces(5));
  expect(new Set(Array.from({ length: 200 }, () => picker.pick(anyWish).endpoint.id)).size).toBe(5);
});

test("no endpoint has more than 1.25 times its part of what is under way, whatever comes and goes", () => {
  const come = fc.record({ key: fc.integer({ min: 0, max: 3 }), ends: fc.integer({ min: 0, max: 2 }) });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.array(come, { maxLength: 200 }), (count, calls) => {
      const places = fakePlaces(count);
      const picker = ringOf(places);
      const underWay: FakePlace[] = [];
      for (const { key, ends } of calls) {
        for (const place of underWay.splice(0, ends)) place.load.end("ok", 1, 0);
        const place = picker.pick({ ...anyWish, hash: hashOf(`hot-${key}`) });
        place.load.begin(0);
        underWay.push(place);
        expect(place.inFlight).toBeLessThanOrEqual(Math.ceil((1.25 * underWay.length) / count));
      }
    }),
    { seed: 4 },
  );
});

test("of a thousand the bound holds but for what was picked a moment ago", () => {
  const places = fakePlaces(1_000);
  const picker = ringOf(places);
  for (let call = 0; call < 8_000; call++) picker.pick({ ...anyWish, hash: hashOf("hot") }).load.begin(0);
  expect(Math.max(...places.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(Math.ceil(1.25 * 8.07));
});

test("a repeat goes on along the ring, always to the same", () => {
  const picker = ringOf(fakePlaces(10));
  for (const hash of keys.slice(0, 200)) {
    const first = home(picker, hash);
    const second = picker.pick({ ...anyWish, hash, tried: [first] }).endpoint.id;
    expect(second).not.toBe(first);
    expect(picker.pick({ ...anyWish, hash, tried: [first] }).endpoint.id).toBe(second);
  }
});

test("a repeat whose only untried endpoint is full goes there all the same", () => {
  const places = fakePlaces(2);
  places[1]?.busy(10);
  const picker = ringOf(places);
  for (const hash of keys.slice(0, 50)) expect(picker.pick({ ...anyWish, hash, tried: ["e0"] }).endpoint.id).toBe("e1");
});

test("after the last point comes the first", () => {
  const ring = new Ring(fakePlaces(1, { weight: 1 }).map(({ endpoint }) => endpoint));
  expect(ring.at(0)).toBe(0);
  expect(ring.at(0xffff_ffff)).toBe(0);
});

test("a ring made of the one before it is as one made from nothing", () => {
  const fleets = fc.array(
    fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(50, 100, 120, 400)), {
      selector: ([id]) => id,
      minLength: 1,
      maxLength: 6,
    }),
    { minLength: 2, maxLength: 8 },
  );
  fc.assert(
    fc.property(fleets, (resolved) => {
      let ring: Ring | undefined;
      for (const fleet of resolved) {
        const endpoints = fleet.map(([id, weight]) => new FakePlace(`e${id}`, { weight }).endpoint);
        ring = new Ring(endpoints, ring);
        const anew = new Ring(endpoints);
        const owners = (of: Ring) => Array.from({ length: of.length }, (_, point) => endpoints[of.owner(point)]?.id);
        expect(owners(ring)).toEqual(owners(anew));
        expect(keys.slice(0, 50).map((key) => ring?.at(key))).toEqual(keys.slice(0, 50).map((key) => anew.at(key)));
      }
    }),
    { seed: 4 },
  );
});

test("an endpoint's points stay where they are when others come and go", () => {
  const points = (ring: Ring, owner: number) =>
    Array.from({ length: ring.length }, (_, point) => point).filter((point) => ring.owner(point) === owner).length;
  const endpoints = fakePlaces(3, { weight: 100 }).map(({ endpoint }) => endpoint);
  const lone = new Ring(endpoints.slice(0, 1));
  const all = new Ring(endpoints);
  expect(points(all, 0)).toBe(lone.length);
  expect(all.length).toBe(3 * lone.length);
});
