import { expect, test } from "vitest";
import { Keepalive } from "./keepalive.ts";

test("a peer that was heard of within a minute is fine", () => {
  const keepalive = new Keepalive(0);
  keepalive.heard(30_000);
  expect([keepalive.isSilent(90_000), keepalive.verdict(90_000)]).toEqual([false, "fine"]);
});

test("one that was silent for longer is asked once, and lost if it does not answer in 10 s", () => {
  const keepalive = new Keepalive(0);
  expect(keepalive.verdict(60_001)).toBe("ask");
  keepalive.asked(60_001);
  expect([keepalive.isAsked, keepalive.verdict(65_000), keepalive.verdict(70_001)]).toEqual([true, "fine", "fine"]);
  expect(keepalive.verdict(70_002)).toBe("lost");
});

test("asking again does not give it more time", () => {
  const keepalive = new Keepalive(0);
  keepalive.asked(61_000);
  keepalive.asked(70_000);
  expect(keepalive.verdict(71_001)).toBe("lost");
});

test("one that has answered is fine for another minute", () => {
  const keepalive = new Keepalive(0);
  keepalive.asked(61_000);
  keepalive.heard(61_500);
  keepalive.answered();
  expect([keepalive.isAsked, keepalive.verdict(121_500), keepalive.verdict(121_501)]).toEqual([false, "fine", "ask"]);
});
