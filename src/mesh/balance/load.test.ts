import fc from "fast-check";
import { expect, test } from "vitest";
import { expectedLatencyMs, Load } from "./load.ts";

/** A load that has answered once, after so long. */
function answeredIn(durationMs: number, now = 0): Load {
  const load = new Load(now);
  load.begin(now);
  load.end("ok", durationMs, now);
  return load;
}

/** A load of which one attempt failed at once. */
function failed({ now = 0, pushbackMs = 0 } = {}): Load {
  const load = new Load(now);
  load.begin(now);
  load.end("failure", 0, now, pushbackMs);
  return load;
}

test("of an endpoint nothing is known of, 30 ms are expected, or what it is told that peers take", () => {
  expect(new Load(0).cost(0)).toBe(30);
  expect(new Load(0, 7).cost(0)).toBe(7);
});

test("a peak counts at once and is e times less after every 10 s", () => {
  const load = answeredIn(1_000);
  expect(load.cost(0)).toBe(1_000);
  expect(Math.round(load.latencyMs(10_000))).toBe(368);
  expect(Math.round(load.latencyMs(20_000))).toBe(135);
});

test("one that nobody has asked for 10 s costs next to nothing, until it is asked; but not while a failure is held against it", () => {
  const load = answeredIn(1_000);
  expect(load.cost(9_999)).toBeGreaterThan(300);
  expect(load.cost(10_000)).toBe(1);
  load.begin(10_000);
  expect(load.cost(10_000)).toBeGreaterThan(300);
  load.end("failure", 1, 10_000, 60_000);
  expect(load.cost(30_000)).toBeGreaterThan(1_000);
  expect(load.cost(70_000)).toBe(1);
});

test("a quick end does not make an endpoint look faster than time does", () => {
  const load = answeredIn(1_000);
  for (const verdict of ["ok", "neither", "failure"] as const) {
    load.begin(0);
    load.end(verdict, 1, 0);
  }
  expect(load.latencyMs(0)).toBe(1_000);
});

test("latency is never below a millisecond, so that among fast endpoints attempts under way count", () => {
  const load = answeredIn(0);
  load.begin(600_000);
  load.begin(600_000);
  expect(load.cost(600_000)).toBe(3);
});

test("cost is latency times one more than what is under way", () => {
  const load = answeredIn(100);
  for (const cost of [200, 300, 400]) {
    load.begin(0);
    expect(load.cost(0)).toBe(cost);
  }
  load.end("ok", 100, 0);
  expect(load.inFlight).toBe(2);
  expect(load.cost(0)).toBe(300);
});

test("a failure costs 5 s, half of that 5 s later, and nothing after 10 s", () => {
  const load = failed();
  expect(load.penaltyMs(0)).toBe(5_000);
  expect(load.cost(0)).toBe(5_030);
  expect(load.penaltyMs(5_000)).toBe(2_500);
  expect(load.penaltyMs(10_000)).toBe(0);
});

test("another failure begins the penalty anew, but no more than one is counted", () => {
  const load = failed();
  load.begin(5_000);
  load.end("failure", 1, 5_000);
  expect(load.penaltyMs(5_000)).toBe(5_000);
  expect(load.penaltyMs(10_000)).toBe(2_500);
});

test("pushback stretches the penalty, up to 300 s, and a later failure without does not shorten it", () => {
  const load = failed({ pushbackMs: 60_000 });
  expect(load.penaltyMs(30_000)).toBe(2_500);
  load.begin(40_000);
  load.end("failure", 1, 40_000);
  expect(load.penaltyMs(50_000)).toBe(2_500);
  expect(load.penaltyMs(60_000)).toBe(0);
  const long = failed({ pushbackMs: 86_400_000 });
  expect(long.penaltyMs(150_000)).toBe(2_500);
  expect(long.penaltyMs(300_000)).toBe(0);
});

test("neither a caller's own error nor giving up is penalized, but that an answer was waited for in vain counts", () => {
  const load = answeredIn(10);
  for (const verdict of ["ok", "neither"] as const) {
    load.begin(0);
    load.end(verdict, 400, 400, 60_000);
  }
  expect(load.penaltyMs(400)).toBe(0);
  expect(load.latencyMs(400)).toBe(400);
});

test("an endpoint that leaves attempts waiting is at least as slow as they have waited", () => {
  const load = answeredIn(30);
  load.begin(100);
  expect(load.latencyMs(120)).toBeLessThan(31);
  expect(load.latencyMs(1_100)).toBe(1_000);
  load.begin(1_100);
  expect(load.cost(1_100)).toBe(3_000);
});

test("an answer ends the silence, giving up does not", () => {
  const load = answeredIn(1);
  for (let i = 0; i < 3; i++) load.begin(0);
  load.end("neither", 500, 500);
  expect(load.latencyMs(1_000)).toBe(1_000);
  load.end("ok", 1_000, 1_000);
  expect(load.latencyMs(1_001)).toBeLessThanOrEqual(1_000);
  expect(load.latencyMs(1_500)).toBeLessThan(1_000);
});

test("a stream that has begun to be answered is under way, but waits for nothing", () => {
  const load = new Load(0);
  load.begin(0);
  load.answered(50, 50);
  expect(load.inFlight).toBe(1);
  expect(load.latencyMs(3_600_000)).toBe(1);
  load.end("ok", undefined, 3_600_000);
  expect(load.inFlight).toBe(0);
  expect(load.latencyMs(3_600_000)).toBe(1);
});

test("a clock that steps back forgives, and one that leaps forgets", () => {
  const load = failed({ now: 1_000_000 });
  expect(load.cost(0)).toBe(30);
  load.begin(0);
  load.end("failure", 0, 0);
  expect(load.penaltyMs(5_000)).toBe(2_500);
  expect(load.cost(10_000_000_000)).toBe(1);
});

test("whatever happens, cost is a whole number above 0 that grows with what is under way", () => {
  const step = fc.record({
    what: fc.constantFrom("begin", "ok", "failure", "neither", "answered" as const),
    afterMs: fc.integer({ min: -1_000, max: 20_000 }),
    durationMs: fc.integer({ min: 0, max: 100_000 }),
  });
  const steps = fc.array(step, { maxLength: 60 });
  fc.assert(
    fc.property(steps, (happened) => {
      const load = new Load(0);
      let now = 0;
      const open: ("waiting" | "answered")[] = [];
      for (const { what, afterMs, durationMs } of happened) {
        now += afterMs;
        if (what === "begin" || open.length === 0) {
          const before = load.cost(now);
          load.begin(now);
          open.push("waiting");
          expect(load.cost(now)).toBeGreaterThan(before);
        } else if (what === "answered") {
          const first = open.indexOf("waiting");
          if (first !== -1) load.answered(durationMs, now);
          if (first !== -1) open[first] = "answered";
        } else {
          load.end(what, open.pop() === "waiting" ? durationMs : undefined, now);
        }
        const cost = load.cost(now);
        expect(load.inFlight).toBe(open.length);
        expect(Number.isInteger(cost) && cost > 0).toBe(true);
        expect(load.penaltyMs(now)).toBeLessThanOrEqual(5_000);
      }
    }),
    { seed: 4 },
  );
});

test("a newcomer is expected to take what its peers take, of those that have answered the median", () => {
  const peers = [answeredIn(200), answeredIn(40), answeredIn(2_000), new Load(0), failed()];
  expect(expectedLatencyMs(peers, 0)).toBe(200);
  expect(expectedLatencyMs([new Load(0), failed()], 0)).toBeUndefined();
});
