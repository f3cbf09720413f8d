import { expect, test } from "vitest";
import { isAlive, markOf, signalTo } from "./process-mark.ts";

test("a running process is known by its pid and its start", () => {
  expect(isAlive(markOf(process.pid))).toBe(true);
});

test("another process of the same pid is not the one that was marked, and is left alone", () => {
  const reused = { pid: process.pid, mark: "1" };
  expect(isAlive(reused)).toBe(false);
  expect(signalTo(reused, "SIGKILL")).toBe(false);
});

test("a pid that nobody has is not alive", () => {
  expect(isAlive({ pid: 2 ** 22 + 1, mark: "" })).toBe(false);
});
