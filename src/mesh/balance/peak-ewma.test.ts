import { expect, test } from "vitest";
import { type Random, seededRandom } from "../../base/random.ts";
import { FakePlace, fakePlaces } from "../../testing/fake-place.ts";
import { sendTraffic } from "../../testing/fake-traffic.ts";
import { expectedLatencyMs, Load } from "./load.ts";
import { peakEwma } from "./peak-ewma.ts";
import type { Picker } from "./picker.ts";

/** About so long, as services take: mostly a little less, seldom several times as long. */
const about = (ms: number, random: Random) => ms * (0.5 + -Math.log(1 - random()) / 2);

/** A fleet under `perSecond` calls. */
function fleet(count: number, seed = 1) {
  const places = fakePlaces(count);
  const made = peakEwma(seededRandom(seed)).picker(places);
  return { places, picker: () => made };
}

test.each([1, 2, 3])(
  "one of five that takes ten times as long gets under a fiftieth of the calls (seed %i)",
  (seed) => {
    const { picker } = fleet(5, seed);
    const attempts = sendTraffic({
      picker,
      seed,
      perSecond: 500,
      seconds: 30,
      serve: ({ endpoint }, _, random) => ({ durationMs: about(endpoint.id === "e0" ? 300 : 30, random) }),
    });
    expect(attempts.ratio("e0")).toBeLessThan(0.02);
    for (const id of ["e1", "e2", "e3", "e4"]) expect(attempts.ratio(id)).toBeGreaterThan(0.15);
  },
);

test("it is found out while its first calls are still under way", () => {
  const { picker } = fleet(5);
  const serve = ({ endpoint }: { endpoint: { id: string } }) => ({ durationMs: endpoint.id === "e0" ? 5_000 : 10 });
  const attempts = sendTraffic({ picker, perSecond: 500, seconds: 5, serve });
  expect(attempts.ratio("e0", 0, 1)).toBeLessThan(0.05);
  expect(attempts.ratio("e0", 1, 5)).toBeLessThan(0.005);
});

test("equals get the same", () => {
  const { places, picker } = fleet(5);
  const attempts = sendTraffic({
    picker,
    perSecond: 1_000,
    seconds: 30,
    serve: (_p, _n, random) => ({ durationMs: about(30, random) }),
  });
  for (const { endpoint } of places) expect(attempts.ratio(endpoint.id)).toBeGreaterThan(0.16);
});

test("one of three that fails gets next to nothing while the penalty lasts, and comes back", () => {
  const { picker } = fleet(3);
  const attempts = sendTraffic({
    picker,
    perSecond: 300,
    seconds: 40,
    serve: ({ endpoint }, now) =>
      endpoint.id === "e0" && now > 5_000 && now < 8_000 ? { durationMs: 1, verdict: "failure" } : { durationMs: 30 },
  });
  expect(attempts.ratio("e0", 0, 5)).toBeGreaterThan(0.25);
  expect(attempts.ratio("e0", 6, 14)).toBeLessThan(0.005);
  expect(attempts.ratio("e0", 16, 40)).toBeGreaterThan(0.25);
});

test("one that asks for time gets it", () => {
  const { picker } = fleet(3);
  const attempts = sendTraffic({
    picker,
    perSecond: 300,
    seconds: 60,
    serve: ({ endpoint }, now) =>
      endpoint.id === "e0" && now < 1_000
        ? { durationMs: 1, verdict: "failure", pushbackMs: 40_000 }
        : { durationMs: 30 },
  });
  expect(attempts.ratio("e0", 1, 38)).toBeLessThan(0.005);
  expect(attempts.ratio("e0", 45, 60)).toBeGreaterThan(0.25);
});

test("a slow endpoint that is fast again is found out after a while, without anybody asking it on purpose", () => {
  const { picker } = fleet(3);
  const attempts = sendTraffic({
    picker,
    perSecond: 300,
    seconds: 60,
    serve: ({ endpoint }, now) => ({ durationMs: endpoint.id === "e0" && now < 5_000 ? 300 : 30 }),
  });
  expect(attempts.ratio("e0", 2, 10)).toBeLessThan(0.05);
  expect(attempts.ratio("e0", 45, 60)).toBeGreaterThan(0.25);
});

test("a newcomer to a fast fleet that is expected to be as fast is used at once", () => {
  const old = fakePlaces(3);
  const balancer = peakEwma(seededRandom(1));
  const before = balancer.picker(old);
  const makeAfter = (expectedMs: number | undefined) =>
    balancer.picker([...old, new FakePlace("new", {}, new Load(10_000, expectedMs))]);
  const joining = (expected: (now: number) => number | undefined) => {
    let after: Picker<FakePlace> | undefined;
    const picker = (now: number) => {
      if (now < 10_000) return before;
      after ??= makeAfter(expected(now));
      return after;
    };
    return sendTraffic({ picker, perSecond: 200, seconds: 15, serve: () => ({ durationMs: 1 }) }).ratio("new", 10, 15);
  };
  const loads = old.map(({ load }) => load);
  expect(joining((now) => expectedLatencyMs(loads, now))).toBeGreaterThan(0.2);
  expect(joining(() => undefined)).toBeLessThan(0.05);
});
