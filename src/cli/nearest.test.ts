import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const verbs = ["up", "down", "status", "logs", "discovery", "gateway"];

test.each([
  ["stauts", "status"],
  ["log", "logs"],
  ["disc", "discovery"],
  ["donw", "down"],
  ["pu", "up"],
  ["gatewya", "gateway"],
])("%s was meant to be %s", (given, meant) => {
  expect(nearest(given, verbs)).toBe(meant);
});

test.each(["", "start", "x", "restart"])("nothing is near enough to %j to suggest it", (given) => {
  expect(nearest(given, verbs)).toBeUndefined();
});
