import { appendFileSync, mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LogFile, logSources, openLog } from "./log-file.ts";

const scratch = () => mkdtempDisposableSync(join(tmpdir(), "heddle-logs-"));
const messages = (log: LogFile) => log.read().map(({ message }) => message);

test("each read returns the lines that are new, and none before it is complete", () => {
  using folder = scratch();
  const file = join(folder.path, "user-8001.log");
  writeFileSync(file, "one\ntw");
  const log = openLog(folder.path, "user-8001");
  expect(messages(log)).toEqual(["one"]);
  appendFileSync(file, "o\nthree\n");
  expect(messages(log)).toEqual(["two", "three"]);
  expect(messages(log)).toEqual([]);
});

test("a letter of several bytes that is written in two goes is read whole", () => {
  using folder = scratch();
  const file = join(folder.path, "a-1.log");
  const bytes = Buffer.from("grün\n");
  writeFileSync(file, bytes.subarray(0, 3));
  const log = openLog(folder.path, "a-1");
  expect(messages(log)).toEqual([]);
  appendFileSync(file, bytes.subarray(3));
  expect(messages(log)).toEqual(["grün"]);
});

test("a log that was emptied is read from its new beginning", () => {
  using folder = scratch();
  const file = join(folder.path, "a-1.log");
  writeFileSync(file, "a long line of the run before\n");
  const log = openLog(folder.path, "a-1");
  log.read();
  writeFileSync(file, "new\n");
  expect(messages(log)).toEqual(["new"]);
});

test("a start's own lines are those after its offset, the last of them complete or not", () => {
  using folder = scratch();
  const file = join(folder.path, "a-1.log");
  writeFileSync(file, "before\nnow\nbroke");
  const lines = new LogFile(file, "a-1", 7).read({ all: true });
  expect(lines.map(({ message }) => message)).toEqual(["now", "broke"]);
});

test("the logs of a folder are named after their parts; without a folder there are none", () => {
  using folder = scratch();
  for (const name of ["user-8001.log", "order-8002.log", "notes.txt"]) writeFileSync(join(folder.path, name), "");
  expect(logSources(folder.path)).toEqual(["order-8002", "user-8001"]);
  expect(logSources(join(folder.path, "none"))).toEqual([]);
});
