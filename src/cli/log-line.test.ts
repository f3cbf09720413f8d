import { expect, test } from "vitest";
import { mergeLines, parseLine, spellLine } from "./log-line.ts";
import { colourless } from "./paint.ts";

const spell = (text: string, before = 0) =>
  spellLine(parseLine("user-8001", text, before), { paint: colourless, width: 10 });
const json = (fields: object) => JSON.stringify({ time: "2026-01-01T10:00:00.250Z", level: "info", ...fields });

test("a line of JSON reads as time, level, who, message, fields", () => {
  const line = json({ message: "serving", service: "user", host: "127.0.0.1", port: 8001, note: "two words" });
  expect(spell(line)).toBe('10:00:00.250  INFO   user-8001   serving  host=127.0.0.1  port=8001  note="two words"');
});

test("an error shows its message in the line and its stack below", () => {
  const error = { name: "Error", message: "no such table", stack: "Error: no such table\n    at find (a.ts:1:2)" };
  const [first, second] = spell(json({ level: "error", message: "failed", error })).split("\n");
  expect(first).toContain('failed  error="no such table"');
  expect(second?.trim()).toBe("at find (a.ts:1:2)");
});

test("what is not JSON is shown as it stands, at the time of the line before it", () => {
  const line = parseLine("user-8001", "    at file.ts:1:2", 42);
  expect(line).toMatchObject({ at: 42, plain: true, message: "    at file.ts:1:2" });
  expect(spell('{"time":"2026-01-0')).toContain('{"time":"2026-01-0');
});

test("lines of several logs come in the order of their times, those of one log in their own", () => {
  const at = (source: string, ms: number, message: string) =>
    parseLine(source, JSON.stringify({ time: new Date(ms).toISOString(), level: "info", message }), 0);
  const merged = mergeLines([
    [at("a", 10, "a1"), at("a", 30, "a2"), at("a", 30, "a3")],
    [at("b", 20, "b1"), at("b", 30, "b2")],
  ]);
  expect(merged.map(({ message }) => message)).toEqual(["a1", "b1", "a2", "a3", "b2"]);
});
