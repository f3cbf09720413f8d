import { existsSync, mkdtempDisposableSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RunFile, type RunState } from "./run-file.ts";

const scratch = () => mkdtempDisposableSync(join(tmpdir(), "heddle-run-"));
const part = { name: "user", port: 8001, adminPort: 9001, stage: 1, log: "x.log", startedAt: 1, pid: 7, mark: "99" };
const state: RunState = { parts: [part] };

test("what was written is read again, and nothing else is left in the folder", () => {
  using folder = scratch();
  const home = join(folder.path, "new", "home");
  const file = new RunFile(home);
  file.write({ starter: { pid: 1, mark: "" }, parts: [part] });
  expect(file.read()).toEqual({ starter: { pid: 1, mark: "" }, parts: [part] });
  expect(readdirSync(home)).toEqual(["run.json"]);
});

test.each([
  ["no file", undefined],
  ["half a file", '{"parts":[{"na'],
  ["an empty file", ""],
  ["another file", '{"parts":{}}'],
  ["a part without a process", '{"parts":[{"name":"user","port":8001}]}'],
  ["a pid that would name every process", JSON.stringify({ parts: [{ ...part, pid: -1 }] })],
])("%s tells nothing", (_, text) => {
  using folder = scratch();
  const file = new RunFile(folder.path);
  if (text !== undefined) writeFileSync(file.path, text);
  expect(file.read()).toBeUndefined();
});

test("of two that claim the file one is the first, and its state stays", () => {
  using folder = scratch();
  const [one, other] = [new RunFile(folder.path), new RunFile(folder.path)];
  expect(one.claim(state)).toBe(true);
  expect(other.claim({ parts: [] })).toBe(false);
  expect(other.read()).toEqual(state);
});

test("a removed file is gone, removed once or twice", () => {
  using folder = scratch();
  const file = new RunFile(folder.path);
  file.write(state);
  file.remove();
  file.remove();
  expect(existsSync(file.path)).toBe(false);
});
