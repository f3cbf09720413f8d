import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { colourful, colourless } from "./paint.ts";
import { table } from "./table.ts";

const columns = [{ title: "service" }, { title: "calls", align: "right" }, { title: "why" }] as const;

test("columns are as wide as their widest cell, numbers lean right, and no line ends with a space", () => {
  const rows = [
    ["discovery", "12", ""],
    ["user", "1234567", "it rests"],
  ];
  expect(table(columns, rows, { paint: colourless })).toBe(
    ["  service      calls  why", "  discovery       12", "  user       1234567  it rests"].join("\n"),
  );
});

test("colours do not move what stands beside them", () => {
  const rows = [[{ text: "user", tone: "good" }, "1", "x"]] as const;
  const plain = table(columns, rows, { paint: colourless, indent: "" });
  const painted = table(columns, rows, { paint: colourful, indent: "" });
  expect(painted).not.toBe(plain);
  expect(stripVTControlCharacters(painted)).toBe(plain);
});

test("a table without rows is its titles", () => {
  expect(table(columns, [], { paint: colourless })).toBe("  service  calls  why");
});
