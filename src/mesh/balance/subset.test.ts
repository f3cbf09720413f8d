import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { fakePlaces, tally } from "../../testing/fake-place.ts";
import { createBalancer } from "./balancers.ts";
import { subsetOf } from "./subset.ts";

const idsOf = (places: ReturnType<typeof fakePlaces>, clientId: string) =>
  subsetOf(places, { clientId }).map(({ endpoint }) => endpoint.id);

test("a client has twenty of many, always the same ones, in whatever order it knows them", () => {
  const ids = idsOf(fakePlaces(300), "client");
  expect(new Set(ids).size).toBe(20);
  expect(idsOf(fakePlaces(300).reverse(), "client")).toEqual(ids);
});

test("of a fleet no larger than that it has all", () => {
  const places = fakePlaces(20);
  expect(subsetOf(places, { clientId: "client" })).toBe(places);
});

test("an endpoint that goes is replaced by one other, and only for those that had it", () => {
  const places = fakePlaces(100);
  for (let client = 0; client < 200; client++) {
    const before = idsOf(places, `client-${client}`);
    const after = idsOf(places.slice(1), `client-${client}`);
    const fresh = after.filter((id) => !before.includes(id));
    expect(fresh).toHaveLength(before.includes("e0") ? 1 : 0);
  }
});

test("every endpoint has about the same number of clients", () => {
  const places = fakePlaces(100);
  const clients = new Map<string, number>();
  for (let client = 0; client < 1_000; client++) {
    for (const id of idsOf(places, `client-${client}`)) clients.set(id, (clients.get(id) ?? 0) + 1);
  }
  const counts = places.map(({ endpoint }) => clients.get(endpoint.id) ?? 0);
  expect(Math.min(...counts)).toBeGreaterThan(140); // of 200: chance has a deviation of 13
  expect(Math.max(...counts)).toBeLessThan(260);
});

test("a balancer with a subset keeps to it; ring hash does not, since clients have to agree", () => {
  const places = fakePlaces(100);
  const options = { random: seededRandom(1), subset: { clientId: "client" } };
  const picked = tally(createBalancer("random", options).picker(places), 2_000);
  expect([...picked.keys()].sort()).toEqual(idsOf(places, "client").sort());
  const all = tally(createBalancer("ring-hash", options).picker(places), 5_000);
  expect(all.size).toBeGreaterThan(90);
});
