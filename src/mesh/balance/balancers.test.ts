import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { anyWish, FakePlace, fakePlaces, tally } from "../../testing/fake-place.ts";
import { balancerNames, createBalancer } from "./balancers.ts";

test.each(balancerNames)("%s among nobody is a mistake", (name) => {
  expect(() => createBalancer(name).picker([])).toThrow(RangeError);
});

test.each(balancerNames)("%s with one candidate picks it, tried or not", (name) => {
  const picker = createBalancer(name).picker([new FakePlace("a")]);
  expect(picker.pick(anyWish).endpoint.id).toBe("a");
  expect(picker.pick({ ...anyWish, tried: ["a"] }).endpoint.id).toBe("a");
});

test.each(balancerNames)("%s goes nowhere twice in a call while one is left that it has not been to", (name) => {
  for (let seed = 0; seed < 200; seed++) {
    const picker = createBalancer(name, { random: seededRandom(seed) }).picker(fakePlaces(5));
    const tried: string[] = [];
    for (let attempt = 0; attempt < 5; attempt++) tried.push(picker.pick({ now: 0, hash: seed, tried }).endpoint.id);
    expect(new Set(tried).size).toBe(5);
    expect(tried).toContain(picker.pick({ now: 0, hash: seed, tried }).endpoint.id);
  }
});

test.each(balancerNames)("%s spreads over equals evenly", (name) => {
  const places = fakePlaces(4);
  const counts = tally(createBalancer(name, { random: seededRandom(1) }).picker(places), 8_000);
  for (const { endpoint } of places) expect(counts.get(endpoint.id)).toBeGreaterThan(1_600);
});
