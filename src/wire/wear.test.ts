import { expect, test } from "vitest";
import { seededRandom } from "../base/random.ts";
import { agedAt, Wear } from "./wear.ts";

const wear = new Wear({}, () => 0.5);
const minute = 60_000;
const worn = { endsAt: 10 * minute, idleMs: 0, hasOthers: false, hasSuccessor: false };

test("connections live ten minutes, ten per cent more or less by the dice", () => {
  const random = seededRandom(1);
  const ages = Array.from({ length: 1_000 }, () => agedAt(0, 10 * minute, random));
  expect(Math.min(...ages)).toBeGreaterThanOrEqual(9 * minute);
  expect(Math.max(...ages)).toBeLessThanOrEqual(11 * minute);
  expect(Math.max(...ages) - Math.min(...ages)).toBeGreaterThan(1.9 * minute);
  expect(wear.endsAt(5)).toBe(5 + 10 * minute);
});

test.each<[what: string, facts: Partial<typeof worn>, at: number, verdict: string]>([
  ["that is young and in use is kept", {}, 9, "keep"],
  ["that is old and in use is replaced", {}, 10, "replace"],
  ["that is old leaves once there is a younger one", { hasOthers: true, hasSuccessor: true }, 10, "leave"],
  ["that is old is replaced where the others are old too", { hasOthers: true }, 10, "replace"],
  ["that is old leaves without a successor where nobody needs one", { idleMs: 30_000 }, 10, "leave"],
  ["that is alone is kept for a while though it is idle", { idleMs: 4 * minute }, 5, "keep"],
  ["that is idle leaves before a server loses its patience, at five minutes", { idleMs: 4.5 * minute }, 5, "leave"],
  ["that is idle and not alone leaves after half a minute", { idleMs: 30_000, hasOthers: true }, 5, "leave"],
  ["that was used a moment ago is kept though it is not alone", { idleMs: 29_000, hasOthers: true }, 5, "keep"],
])("a connection %s", (_, facts, atMinute, verdict) => {
  expect(wear.verdict({ ...worn, ...facts }, atMinute * minute)).toBe(verdict);
});

test("what is never to end does not", () => {
  const forever = new Wear({ maxAgeMs: Number.POSITIVE_INFINITY, idleMs: Number.POSITIVE_INFINITY }, () => 0.5);
  const endsAt = forever.endsAt(0);
  expect(forever.verdict({ ...worn, endsAt, idleMs: 1e9 }, 1e12)).toBe("keep");
});
