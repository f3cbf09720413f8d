import fc from "fast-check";
import { expect, test } from "vitest";
import { Bulkhead, Bulkheads } from "./bulkhead.ts";

/** Callers who note in which order they got a place. */
function callers() {
  const admitted: string[] = [];
  const call = (name: string) => ({ admitted: () => void admitted.push(name) });
  return { admitted, call };
}

test("as many as the rules say have a place at once, a few wait, the rest are told at once", () => {
  const bulkhead = new Bulkhead({ maxInFlight: 2, maxQueued: 1 });
  const { call, admitted } = callers();
  expect(["a", "b", "c", "d"].map((name) => bulkhead.enter(call(name)))).toEqual(["in", "in", "queued", "full"]);
  expect(admitted).toEqual([]); // those who are in at once are not told twice
  expect(bulkhead.why).toBe("2 calls under way and 1 waiting, and no place for more");
});

test("a place that is given back goes to the one who has waited longest, and nobody overtakes", () => {
  const bulkhead = new Bulkhead({ maxInFlight: 1, maxQueued: 10 });
  const { call, admitted } = callers();
  for (const name of ["a", "b", "c"]) bulkhead.enter(call(name));
  bulkhead.leave();
  expect(admitted).toEqual(["b"]);
  expect(bulkhead.enter(call("d"))).toBe("queued");
  bulkhead.leave();
  bulkhead.leave();
  expect(admitted).toEqual(["b", "c", "d"]);
  bulkhead.leave();
  expect(bulkhead.enter(call("e"))).toBe("in");
});

test("who gives up leaves the queue and makes room in it; who has a place keeps it", () => {
  const bulkhead = new Bulkhead({ maxInFlight: 1, maxQueued: 2 });
  const { call, admitted } = callers();
  const [a, b, c, d] = [call("a"), call("b"), call("c"), call("d")];
  for (const waiter of [a, b, c]) bulkhead.enter(waiter);
  bulkhead.giveUp(b);
  expect(bulkhead.enter(d)).toBe("queued");
  bulkhead.leave();
  bulkhead.giveUp(c);
  expect([bulkhead.inFlight, bulkhead.queued]).toEqual([1, 1]);
  bulkhead.leave();
  expect(admitted).toEqual(["c", "d"]);
});

test("without a queue those beyond the limit are told at once", () => {
  const bulkhead = new Bulkhead({ maxInFlight: 1, maxQueued: 0 });
  const { call } = callers();
  expect([bulkhead.enter(call("a")), bulkhead.enter(call("b"))]).toEqual(["in", "full"]);
});

test("a call that ends as soon as it has a place hands it on", () => {
  const bulkhead = new Bulkhead({ maxInFlight: 1, maxQueued: 128 });
  let ended = 0;
  const brief = () => ({
    admitted() {
      ended++;
      bulkhead.leave();
    },
  });
  bulkhead.enter({ admitted() {} });
  for (let call = 0; call < 128; call++) bulkhead.enter(brief());
  bulkhead.leave();
  expect([ended, bulkhead.inFlight, bulkhead.queued]).toEqual([128, 0, 0]);
});

test("whatever calls do, limits hold, a free place is never left while somebody waits, and order is kept", () => {
  const limit = fc.nat(4);
  const act = fc.constantFrom("enter" as const, "leave" as const, "give up" as const);
  fc.assert(
    fc.property(
      fc.array(act, { maxLength: 200 }),
      fc.integer({ min: 1, max: 4 }),
      limit,
      (acts, maxInFlight, maxQueued) => {
        const bulkhead = new Bulkhead({ maxInFlight, maxQueued });
        const inside: object[] = [];
        const waiting: object[] = [];
        const call = () => ({
          admitted() {
            expect(waiting.shift()).toBe(this);
            inside.push(this);
          },
        });
        for (const taken of acts) {
          if (taken === "enter") {
            const made = call();
            const entered = bulkhead.enter(made);
            if (entered === "in") inside.push(made);
            else if (entered === "queued") waiting.push(made);
            else expect(waiting.length).toBe(maxQueued);
          } else if (taken === "leave" && inside.length > 0) {
            inside.shift();
            bulkhead.leave();
          } else if (taken === "give up" && waiting.length > 0) {
            const [gone] = waiting.splice(Math.floor(waiting.length / 2), 1);
            bulkhead.giveUp(gone as { admitted(): void });
          }
          expect([bulkhead.inFlight, bulkhead.queued]).toEqual([inside.length, waiting.length]);
          expect(inside.length).toBeLessThanOrEqual(maxInFlight);
          expect(waiting.length === 0 || inside.length === maxInFlight).toBe(true);
        }
      },
    ),
  );
});

test("methods with the same rules share a bulkhead, others have their own", () => {
  const bulkheads = new Bulkheads();
  const shared = bulkheads.of({ maxInFlight: 256, maxQueued: 128 });
  expect(bulkheads.of({ maxInFlight: 256, maxQueued: 128 })).toBe(shared);
  expect(bulkheads.of({ maxInFlight: 25, maxQueued: 6128 })).not.toBe(shared);
});
