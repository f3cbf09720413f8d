import { expect, test } from "vitest";
import { spellList, spellMs } from "./spell.ts";

test.each([
  [0, "0.0 s"],
  [-5, "0.0 s"],
  [840, "0.8 s"],
  [10_000, "10 s"],
  [9_999, "9.9 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_600_000, "1 h"],
  [90_000_000, "1 d"],
])("%d ms is said as %s", (ms, said) => {
  expect(spellMs(ms)).toBe(said);
});

test("a list is read aloud", () => {
  expect(spellList([])).toBe("");
  expect(spellList(["user"])).toBe("user");
  expect(spellList(["user", "order", "catalog"])).toBe("user, order and catalog");
});
