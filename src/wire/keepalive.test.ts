import { expect, test } from "vitest";
import { Keepalive } from "./keepalive.ts";

/** What is said of it second by second. */
function verdicts(keepalive: Keepalive, fromMs: number, toMs: number): string[] {
  const said: string[] = [];
  for (let now = fromMs; now <= toMs; now += 1_000) said.push(keepalive.verdict(now));
  return said;
}

test("a peer that was heard of within a minute is fine", () => {
  const keepalive = new Keepalive(0);
  keepalive.heard(30_000);
  expect([keepalive.isSilent(90_000), keepalive.verdict(90_000)]).toEqual([false, "fine"]);
});

test("one that was silent for longer is asked once, and lost if it does not answer in 10 s", () => {
  const keepalive = new Keepalive(0);
  expect(verdicts(keepalive, 1, 60_001).at(-1)).toBe("ask");
  keepalive.asked(60_001);
  expect([keepalive.isAsked, ...new Set(verdicts(keepalive, 61_001, 70_001))]).toEqual([true, "fine"]);
  expect(keepalive.verdict(70_002)).toBe("lost");
});

test("asking again does not give it more time", () => {
  const keepalive = new Keepalive(0);
  keepalive.asked(61_000);
  keepalive.asked(70_000);
  expect(new Set(verdicts(keepalive, 1, 71_000))).toEqual(new Set(["fine"]));
  expect(keepalive.verdict(71_001)).toBe("lost");
});

test("one that has answered is fine for another minute", () => {
  const keepalive = new Keepalive(0);
  keepalive.asked(61_000);
  keepalive.heard(61_500);
  keepalive.answered();
  expect([keepalive.isAsked, keepalive.verdict(121_500), keepalive.verdict(121_501)]).toEqual([false, "fine", "ask"]);
});

test("how soon it is asked, and how long it may take, can be said", () => {
  const keepalive = new Keepalive(0, { keepaliveTimeMs: 1_500, keepaliveTimeoutMs: 2_000 });
  expect([keepalive.verdict(1_500), keepalive.verdict(1_501)]).toEqual(["fine", "ask"]);
  keepalive.asked(1_501);
  expect([keepalive.verdict(2_501), keepalive.verdict(3_501), keepalive.verdict(3_502)]).toEqual([
    "fine",
    "fine",
    "lost",
  ]);
});

test("time for which this process stood still does not count against the peer", () => {
  const keepalive = new Keepalive(0, { keepaliveTimeMs: 1_500, keepaliveTimeoutMs: 2_000 });
  keepalive.verdict(2_000);
  keepalive.asked(2_000);
  expect([keepalive.verdict(12_000), keepalive.verdict(13_000)]).toEqual(["fine", "fine"]);
  expect(keepalive.verdict(14_001)).toBe("lost");
});
