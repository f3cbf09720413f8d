import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import { endpointAt } from "../resolve/static.ts";
import { type BalancerName, createBalancer } from "./balancers.ts";

/** Candidates named by letters, with attempts under way. */
function candidates(inFlight: Readonly<Record<string, number>>) {
  return Object.entries(inFlight).map(([name, count]) => ({ endpoint: endpointAt(name), inFlight: count }));
}

/** Who is chosen, `times` in a row, and how often. */
function chosen(name: BalancerName, times: number, among: Readonly<Record<string, number>>) {
  const balancer = createBalancer(name, seededRandom(1));
  const order = Array.from({ length: times }, () => balancer(candidates(among)).endpoint.id);
  const counts = Object.keys(among).map((id) => order.filter((one) => one === id).length);
  return { order, counts };
}

test("round robin gives each its turn", () => {
  const { order, counts } = chosen("round-robin", 300, { a: 9, b: 0, c: 5 });
  expect(counts).toEqual([100, 100, 100]);
  expect(new Set(order.slice(0, 3)).size).toBe(3);
});

test("round robin begins anywhere, so that clients that start together spread", () => {
  const first = (seed: number) => createBalancer("round-robin", seededRandom(seed))(candidates({ a: 0, b: 0, c: 0 }));
  const begun = new Set(Array.from({ length: 30 }, (_, seed) => first(seed).endpoint.id));
  expect(begun).toEqual(new Set(["a", "b", "c"]));
});

test("random chooses evenly", () => {
  for (const count of chosen("random", 3_000, { a: 9, b: 0, c: 5 }).counts) {
    expect(count).toBeGreaterThan(900);
    expect(count).toBeLessThan(1_100);
  }
});

test("least request chooses the idlest, and among equals each", () => {
  expect(chosen("least-request", 100, { a: 2, b: 1, c: 3 }).counts).toEqual([0, 100, 0]);
  const [a = 0, b = 0, c = 0] = chosen("least-request", 1_000, { a: 1, b: 1, c: 3 }).counts;
  expect(c).toBe(0);
  expect(Math.abs(a - b)).toBeLessThan(150);
});

test.each(["round-robin", "random", "least-request"] as const)("%s among nobody is a mistake", (name) => {
  expect(() => createBalancer(name)([])).toThrow(RangeError);
});
