import { appendFileSync, mkdirSync, mkdtempDisposableSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fakeClock } from "../../testing/fake-clock.ts";
import { UsageError } from "../command.ts";
import { colourless } from "../paint.ts";
import { logs } from "./logs.ts";

/** A home with three logs, and what `heddle logs` shows of them. */
function openHome() {
  const folder = mkdtempDisposableSync(join(tmpdir(), "heddle-home-"));
  mkdirSync(join(folder.path, "logs"));
  const shown: string[] = [];
  const [clock, interruption] = [fakeClock(), new AbortController()];
  const write = (source: string, second: number, message: string) => {
    const time = `2026-01-01T00:00:0${second}.000Z`;
    appendFileSync(join(folder.path, "logs", `${source}.log`), `${JSON.stringify({ time, level: "info", message })}\n`);
  };
  write("user-8001", 1, "one");
  write("order-8002", 2, "two");
  write("user-8011", 3, "three");
  const out = { line: (text = "") => void shown.push(text.split("  ").at(-1)?.trim() ?? ""), paint: colourless };
  const cli = { home: folder.path, discovery: "", plan: [], env: {}, out, clock, interrupted: interruption.signal };
  const run = (words: string[], flags = {}) => logs.run(cli, { words, flags });
  return {
    path: folder.path,
    run,
    write,
    shown,
    clock,
    interruption,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

test("all logs are shown in the order of their times", async () => {
  using home = openHome();
  expect(await home.run([])).toBe(0);
  expect(home.shown).toEqual(["one", "two", "three"]);
});

test.each([
  [["user"], ["one", "three"]],
  [["user-8011"], ["three"]],
  [
    ["order", "user-8001"],
    ["one", "two"],
  ],
])("%j shows its own", async (words, messages) => {
  using home = openHome();
  await home.run(words);
  expect(home.shown).toEqual(messages);
});

test("--lines keeps the last ones", async () => {
  using home = openHome();
  await home.run([], { lines: "2" });
  expect(home.shown).toEqual(["two", "three"]);
});

test("following shows what comes, of new parts too, until the user has seen enough", async () => {
  using home = openHome();
  const following = home.run([], { follow: true, lines: "1" });
  home.write("order-8002", 5, "five");
  home.write("catalog-8003", 4, "four");
  await home.clock.advance(200);
  expect(home.shown).toEqual(["three", "four", "five"]);
  home.interruption.abort();
  expect(await following).toBe(0);
  expect(home.clock.pending).toBe(0);
});

test("a name that nobody has is refused with the nearest one", async () => {
  using home = openHome();
  await expect(home.run(["usr"])).rejects.toThrow(/no log of "usr" .*did you mean user\?/);
  await expect(home.run([], { lines: "many" })).rejects.toThrow(UsageError);
});

test("where nothing was ever started, it says how to start", async () => {
  using home = openHome();
  rmSync(join(home.path, "logs"), { recursive: true });
  expect(await home.run([])).toBe(0);
  expect(home.shown).toEqual([expect.stringContaining("make up")]);
});
