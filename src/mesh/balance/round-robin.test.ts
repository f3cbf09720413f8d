import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { anyWish, fakePlaces } from "../../testing/fake-place.ts";
import { roundRobin } from "./round-robin.ts";

test("each has its turn, however busy and whatever its share", () => {
  const [a, b, c] = fakePlaces(3);
  if (!a || !b || !c) throw new Error("three places");
  b.busy(5);
  c.shareAt = () => 1;
  const picker = roundRobin(seededRandom(1)).picker([a, b, c]);
  const picked = Array.from({ length: 300 }, () => picker.pick(anyWish));
  for (const place of [a, b, c]) expect(picked.filter((one) => one === place)).toHaveLength(100);
  for (const [i, place] of picked.entries()) if (i >= 3) expect(place).toBe(picked[i - 3]);
});

test("it begins anywhere, so that clients that start together spread", () => {
  const first = (seed: number) => roundRobin(seededRandom(seed)).picker(fakePlaces(3)).pick(anyWish).endpoint.id;
  expect(new Set(Array.from({ length: 30 }, (_, seed) => first(seed)))).toEqual(new Set(["e0", "e1", "e2"]));
});

test("it goes on where it was when the candidates change", () => {
  const places = fakePlaces(4);
  const balancer = roundRobin(() => 0);
  const picked = Array.from({ length: 8 }, () => balancer.picker(places).pick(anyWish));
  expect(picked).toEqual([...places, ...places]);
});

test("who was passed over because it has been tried gives its turn to the next", () => {
  const picker = roundRobin(() => 0).picker(fakePlaces(3));
  const picked = [["e0"], [], ["e2"], []].map((tried) => picker.pick({ ...anyWish, tried }).endpoint.id);
  expect(picked).toEqual(["e1", "e2", "e0", "e1"]);
});
