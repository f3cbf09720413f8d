import { expect, test } from "vitest";
import { claimOf, isLasting } from "./claim.ts";

const newEndsAt = 1_000;
const known = { fingerprint: "f", holder: "h", leaseEndsAt: 10, endsAt: 100, answer: undefined };
const answer = { status: 201, header: [], body: new Uint8Array() };

test.each([
  ["one whose holder is alive", known, "f", 9, { kind: "busy" }],
  ["one whose holder has been silent for too long", known, "f", 10, { kind: "work", endsAt: 100 }],
  ["one that was let go of", { ...known, fingerprint: "", leaseEndsAt: 0 }, "g", 1, { kind: "work", endsAt: 100 }],
  ["one of another request, whoever is at it", known, "g", 50, { kind: "reused" }],
  ["one that was answered", { ...known, answer }, "f", 99, { kind: "answered", answer }],
  ["one of another request that was answered", { ...known, answer }, "g", 99, { kind: "reused" }],
  ["one whose day is over", { ...known, answer }, "g", 100, { kind: "work", endsAt: newEndsAt }],
] as const)("%s", (_, key, fingerprint, now, claim) => {
  expect(claimOf(key, { fingerprint, now, newEndsAt })).toEqual(claim);
});

test("what says to come again, later or otherwise, is not the last word; everything else is", () => {
  const all = Array.from({ length: 400 }, (_, i) => 200 + i);
  const notLasting = all.filter((status) => !isLasting(status));
  const refused = [401, 403, 404, 405, 406, 408, 411, 413, 414, 415, 425, 429, 431, 499];
  expect(notLasting).toEqual([...refused, 501, 502, 503, 504]);
});
