import fc from "fast-check";
import { expect, test } from "vitest";
import { seededRandom } from "../../base/random.ts";
import type { Verdict } from "../../call/outcome.ts";
import { type BreakerRules, breakerPresets } from "../../call/policy.ts";
import { Circuit, type CircuitOptions, type CircuitState, type Permit } from "./circuit.ts";

const start = Date.UTC(2026, 0, 1);

/** A circuit without jitter at a time of its own, and attempts that end at once. */
function circuit(rules: BreakerRules = breakerPresets.default, options: CircuitOptions = {}) {
  const changes: CircuitState[] = [];
  const onChange = (state: CircuitState) => changes.push(state);
  const made = new Circuit(rules, { random: () => 0, onChange, ...options });
  let now = start;
  const one = (verdict: Verdict, isSlow = false) => made.record(verdict, made.admit(now), now, isSlow);
  return {
    changes,
    why: () => made.why,
    state: () => made.state,
    waitMs: () => made.waitMs(now),
    isAdmitting: () => made.isAdmitting(now),
    admit: () => made.admit(now),
    record: (verdict: Verdict, permit: Permit) => made.record(verdict, permit, now),
    probed: (ok: boolean) => made.probed(ok, now),
    pushback: (ms: number) => made.pushback(ms, now),
    /** Time passes, and the owner ticks when it said it would. */
    pass(ms: number) {
      const until = now + ms;
      for (let dueMs = made.dueInMs(now); dueMs !== undefined && now + dueMs <= until; dueMs = made.dueInMs(now)) {
        now += dueMs;
        made.tick(now);
      }
      now = until;
    },
    /** Waits until it is half-open, with health calls that succeed. */
    reach() {
      this.pass(made.waitMs(now));
      made.probed(true, now);
    },
    /** Attempts one after the other, each ending with its verdict. */
    attempts(...verdicts: Verdict[]) {
      for (const verdict of verdicts) one(verdict);
    },
    /** Attempts that succeed but take their time. */
    slow(count: number) {
      for (let attempt = 0; attempt < count; attempt++) one("ok", true);
    },
  };
}

const failures = (count: number) => Array<Verdict>(count).fill("failure");
const successes = (count: number) => Array<Verdict>(count).fill("ok");

test.each([
  ["default", 5, 1_000],
  ["classic", 3, 30_000],
] as const)("the %s circuit opens after %d failures in a row, for %d ms", (preset, inARow, openMs) => {
  const { attempts, waitMs, why } = circuit(breakerPresets[preset]);
  attempts(...failures(inARow - 1));
  expect(waitMs()).toBe(0);
  attempts("failure");
  expect(waitMs()).toBe(openMs);
  expect(why()).toBe(`${inARow} failures in a row`);
});

test("a success between failures begins the count anew; an attempt given up counts for nothing", () => {
  const { attempts, waitMs } = circuit(breakerPresets.classic);
  attempts("failure", "failure", "ok", "failure", "neither", "failure");
  expect(waitMs()).toBe(0);
  attempts("failure");
  expect(waitMs()).toBe(30_000);
});

test("attempts that were under way together and fail together are one failure in the row", () => {
  const { attempts, admit, record, waitMs } = circuit();
  attempts(...successes(50));
  for (let pause = 1; pause <= 4; pause++) {
    const together = Array.from({ length: 10 }, admit);
    for (const permit of together) record("failure", permit);
    expect(waitMs()).toBe(0);
  }
  attempts("failure");
  expect(waitMs()).toBe(1_000);
});

test("fewer than half succeeding opens it too, from 10 calls on, over the last 10 s exactly", () => {
  const alternating: Verdict[] = ["failure", "failure", "ok"];
  const nine = circuit();
  nine.attempts(...alternating, ...alternating, ...alternating);
  expect(nine.waitMs()).toBe(0); // too few to say
  nine.attempts("failure");
  expect(nine.waitMs()).toBe(1_000);
  expect(nine.why()).toBe("7 of 10 calls failed within 10 s");

  const spread = circuit();
  spread.attempts(...alternating, ...alternating, ...alternating);
  spread.pass(10_000);
  spread.attempts("failure");
  expect(spread.waitMs()).toBe(0); // the nine have left the window
});

test("exactly half succeeding keeps it closed, and the classic circuit looks at no share", () => {
  const half = circuit();
  for (let pair = 0; pair < 50; pair++) half.attempts("ok", "failure");
  expect(half.waitMs()).toBe(0);
  const classic = circuit(breakerPresets.classic);
  for (let round = 0; round < 50; round++) classic.attempts("failure", "failure", "ok");
  classic.slow(100);
  expect(classic.waitMs()).toBe(0);
});

test("more than four fifths of the calls being slow opens it, though all of them succeed", () => {
  const { attempts, slow, waitMs, why } = circuit();
  attempts("ok", "ok");
  slow(8);
  expect(waitMs()).toBe(0); // four fifths exactly
  slow(1);
  expect(waitMs()).toBe(1_000);
  expect(why()).toBe("9 of 11 calls were slow within 10 s");
});

test("a few slow calls say nothing, and slow calls leave after ten seconds", () => {
  const { attempts, slow, pass, waitMs } = circuit();
  slow(9);
  expect(waitMs()).toBe(0);
  pass(10_000);
  slow(1);
  attempts(...successes(9));
  expect(waitMs()).toBe(0);
});

test("when its time is up a health call is asked for, then one real call goes, and only then everybody", () => {
  const { attempts, pass, probed, isAdmitting, admit, record, state, changes } = circuit();
  attempts(...failures(5));
  pass(999);
  expect([state(), isAdmitting()]).toEqual(["open", false]);
  pass(1);
  expect([state(), isAdmitting()]).toEqual(["probing", false]);
  probed(true);
  expect([state(), isAdmitting()]).toEqual(["half-open", true]);
  const trial = admit();
  expect([state(), isAdmitting()]).toEqual(["on-trial", false]);
  record("ok", trial);
  expect([state(), isAdmitting()]).toEqual(["closed", true]);
  attempts(...failures(4), ...successes(4), "failure");
  expect(isAdmitting()).toBe(true); // closed, and counting from nothing
  expect(changes).toEqual(["open", "probing", "half-open", "on-trial", "closed"]);
});

test.each([
  ["the health call failed", (made: ReturnType<typeof circuit>) => made.probed(false)],
  ["the health call was not answered", (made: ReturnType<typeof circuit>) => made.pass(5_000)],
  [
    "the call that tried it failed",
    (made: ReturnType<typeof circuit>) => {
      made.probed(true);
      made.attempts("failure");
    },
  ],
  [
    "the call that tried it was slow",
    (made: ReturnType<typeof circuit>) => {
      made.probed(true);
      made.slow(1);
    },
  ],
])("it opens again, for twice as long, when %s", (why, happen) => {
  const made = circuit();
  made.attempts(...failures(5));
  made.pass(1_000);
  happen(made);
  expect([made.state(), made.waitMs(), made.why()]).toEqual(["open", 2_000, why]);
});

test("a trial may be slow where slow calls are not looked at", () => {
  const made = circuit(breakerPresets.classic);
  made.attempts(...failures(3));
  made.reach();
  made.slow(1);
  expect(made.state()).toBe("closed");
});

test("an owner who is late to tick is not told that an attempt may go", () => {
  const made = new Circuit(breakerPresets.classic, { random: () => 0 });
  for (let attempt = 0; attempt < 3; attempt++) made.record("failure", made.admit(start), start);
  expect([made.dueInMs(start + 40_000), made.waitMs(start + 40_000)]).toEqual([0, 1]);
});

test("a clock that steps back does not keep it open for hours", () => {
  const made = new Circuit(breakerPresets.classic, { random: () => 0 });
  for (let attempt = 0; attempt < 3; attempt++) made.record("failure", made.admit(start), start);
  const earlier = start - 3_600_000;
  expect(made.dueInMs(earlier)).toBe(0);
  made.tick(earlier);
  expect([made.state, made.dueInMs(earlier)]).toEqual(["probing", 5_000]);
});

test("each opening in a row lasts twice as long up to the most, and begins anew after a success", () => {
  const made = circuit();
  made.attempts(...failures(5));
  const lasted: number[] = [];
  for (let opening = 0; opening < 8; opening++) {
    lasted.push(made.waitMs());
    made.reach();
    made.attempts("failure");
  }
  expect(lasted).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  made.reach();
  made.attempts("ok", ...failures(5));
  expect(made.waitMs()).toBe(1_000);
});

test("jitter makes an opening up to a tenth longer, never shorter", () => {
  const { attempts, waitMs } = circuit(breakerPresets.classic, { random: () => 0.5 });
  attempts(...failures(3));
  expect(waitMs()).toBe(31_500);
});

test("a straggler, admitted before the circuit opened, neither closes nor reopens it", () => {
  const made = circuit();
  const stragglers = [made.admit(), made.admit()] as const;
  made.attempts(...failures(5));
  made.record("ok", stragglers[0]);
  made.record("failure", stragglers[1]);
  expect([made.state(), made.waitMs()]).toEqual(["open", 1_000]);
});

test("a straggler cannot pass for the trial, and does not undo what the trial proved", () => {
  const made = circuit();
  const stragglers = Array.from({ length: 30 }, made.admit);
  made.attempts(...failures(5));
  made.reach();
  for (const permit of stragglers.splice(0, 4)) made.record("ok", permit);
  expect(made.state()).toBe("half-open");
  const trial = made.admit();
  for (const permit of stragglers.splice(0, 4)) made.record("failure", permit);
  expect(made.state()).toBe("on-trial");
  made.record("ok", trial);
  for (const permit of stragglers) made.record("failure", permit);
  made.attempts("failure");
  expect(made.state()).toBe("closed");
});

test("a call sent past an open circuit, when nobody else is left, decides nothing", () => {
  const made = circuit();
  made.attempts(...failures(5));
  const past = made.admit();
  made.record("ok", past);
  expect(made.state()).toBe("open");
  made.reach();
  const trial = made.admit();
  const beside = made.admit();
  made.record("failure", beside);
  expect(made.state()).toBe("on-trial");
  made.record("ok", trial);
  expect(made.state()).toBe("closed");
});

test("a trial that says nothing lets another go at once", () => {
  const made = circuit();
  made.attempts(...failures(5));
  made.reach();
  made.record("neither", made.admit());
  expect([made.state(), made.isAdmitting()]).toEqual(["half-open", true]);
  made.attempts("failure");
  expect(made.waitMs()).toBe(2_000);
});

test.each([5_000, 20_000])(
  "a trial that never ends is lost after %d ms, and its late end is a straggler's",
  (probeMs) => {
    const made = circuit(breakerPresets.default, { probeMs });
    made.attempts(...failures(5));
    made.reach();
    const lost = made.admit();
    expect(made.waitMs()).toBe(probeMs);
    made.pass(probeMs);
    expect(made.state()).toBe("half-open");
    const next = made.admit();
    expect(made.waitMs()).toBe(probeMs);
    made.record("failure", lost);
    made.record("ok", next);
    expect(made.state()).toBe("closed");
  },
);

test("a method that takes longer than a trial may is let back by the first that ends well", () => {
  const made = circuit();
  made.attempts(...failures(5));
  made.reach();
  const first = made.admit();
  for (let lost = 0; lost < 3; lost++) {
    made.pass(5_000);
    made.admit();
  }
  expect(made.state()).toBe("on-trial");
  made.record("ok", first);
  expect(made.state()).toBe("closed");
});

test("a lost trial holds up nobody, even if its owner is late to tick", () => {
  const made = new Circuit(breakerPresets.classic, { random: () => 0 });
  for (let attempt = 0; attempt < 3; attempt++) made.record("failure", made.admit(start), start);
  made.tick(start + 30_000);
  made.probed(true, start + 30_000);
  made.admit(start + 30_000);
  expect(made.isAdmitting(start + 34_999)).toBe(false);
  expect(made.isAdmitting(start + 35_000)).toBe(true);
  made.record("ok", made.admit(start + 35_000), start + 35_001);
  expect(made.state).toBe("closed");
});

test("a circuit that may not open stays closed, counts from nothing, and asks again at the next trip", () => {
  let asked = 0;
  let allowed = false;
  const mayOpen = () => {
    asked++;
    return allowed;
  };
  const { attempts, changes, state } = circuit(breakerPresets.default, { mayOpen });
  attempts(...failures(5));
  expect([asked, state()]).toEqual([1, "closed"]);
  attempts(...failures(4));
  expect([asked, state()]).toEqual([1, "closed"]);
  allowed = true;
  attempts("failure");
  expect([asked, state()]).toEqual([2, "open"]);
  expect(changes).toEqual(["open"]);
});

test("a circuit that failed its trial need not ask whether it may stay out", () => {
  let allowed = true;
  const made = circuit(breakerPresets.default, { mayOpen: () => allowed });
  made.attempts(...failures(5));
  allowed = false;
  made.reach();
  made.attempts("failure");
  expect(made.state()).toBe("open");
});

test("a server that asks to be left alone longer is, up to the longest opening", () => {
  const made = circuit();
  made.pushback(8_000);
  expect(made.state()).toBe("closed");
  made.attempts(...failures(5));
  expect(made.waitMs()).toBe(8_000);
  made.pushback(3_600_000);
  expect(made.waitMs()).toBe(60_000);
});

test("what a server asked for before the clock stepped back lasts no longer than the longest opening", () => {
  const made = new Circuit(breakerPresets.classic, { random: () => 0 });
  made.pushback(30_000, start + 3_600_000);
  for (let attempt = 0; attempt < 3; attempt++) made.record("failure", made.admit(start), start);
  expect(made.waitMs(start)).toBe(30_000);
});

/**
 * A channel of one method in miniature: it rebuilds its snapshot when told, sends health calls when asked, ticks when
 * due, and lets no more than half of its places be out.
 */
function fakeOwner(places: number, rules: BreakerRules, seed = 1) {
  let now = start;
  let snapshot: number[] = [];
  const healthy = Array<boolean>(places).fill(true);
  const rebuild = () => {
    snapshot = circuits.flatMap((circuit, place) => (circuit.isAdmitting(now) ? [place] : []));
  };
  const mayOpen = () => circuits.filter(({ state }) => state !== "closed").length + 1 <= places / 2;
  const circuits: Circuit[] = Array.from({ length: places }, (_, place) => {
    const onChange = (state: CircuitState) => {
      rebuild();
      if (state === "probing") health.push(place);
    };
    return new Circuit(rules, { random: seededRandom(seed + place), mayOpen, onChange });
  });
  const health: number[] = [];
  rebuild();
  return {
    circuits,
    healthy,
    snapshot: () => snapshot,
    admitting: () => circuits.flatMap((circuit, place) => (circuit.isAdmitting(now) ? [place] : [])),
    /** One call to each place of the snapshot. */
    round() {
      for (const place of [...snapshot]) {
        const permit = circuits[place]?.admit(now) ?? 0;
        circuits[place]?.record(healthy[place] ? "ok" : "failure", permit, now);
      }
    },
    pass(ms: number) {
      now += ms;
      for (const circuit of circuits) if (circuit.dueInMs(now) === 0) circuit.tick(now);
      for (const place of health.splice(0)) circuits[place]?.probed(healthy[place] === true, now);
    },
  };
}

test.each(["default", "classic"] as const)(
  "an owner of %s circuits lives through an outage of one endpoint",
  (preset) => {
    const owner = fakeOwner(3, breakerPresets[preset]);
    owner.healthy[1] = false;
    for (let round = 0; round < 5; round++) owner.round();
    expect(owner.snapshot()).toEqual([0, 2]);
    for (let second = 0; second < 100; second++) {
      owner.pass(1_000);
      owner.round();
      expect(owner.snapshot()).not.toContain(1);
    }
    owner.healthy[1] = true;
    for (let second = 0; second < 66; second++) {
      owner.pass(1_000);
      owner.round();
    }
    expect(owner.snapshot()).toEqual([0, 1, 2]);
  },
);

test("two endpoints that both fail are never both left alone", () => {
  const owner = fakeOwner(2, breakerPresets.default);
  owner.healthy.fill(false);
  for (let second = 0; second < 100; second++) {
    owner.round();
    expect(owner.snapshot().length).toBeGreaterThan(0);
    owner.pass(1_000);
  }
});

test("whatever happens, the owner's snapshot is right, no more than half are out, and all are back in time", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 9_000 }) }),
    fc.record({ kind: fc.constant("round" as const) }),
    fc.record({ kind: fc.constant("turn" as const), place: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer(), (steps, seed) => {
      const owner = fakeOwner(4, breakerPresets.default, seed);
      for (const taken of steps) {
        if (taken.kind === "pass") owner.pass(taken.ms);
        else if (taken.kind === "round") owner.round();
        else owner.healthy[taken.place] = !owner.healthy[taken.place];
        expect(owner.snapshot()).toEqual(owner.admitting());
        expect(owner.circuits.filter(({ state }) => state !== "closed").length).toBeLessThanOrEqual(2);
      }
      owner.healthy.fill(true);
      for (let second = 0; second < 67; second++) {
        owner.pass(1_000);
        owner.round();
      }
      expect(owner.circuits.map(({ state }) => state)).toEqual(Array(4).fill("closed"));
    }),
  );
});
