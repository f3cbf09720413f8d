import { expect, test } from "vitest";
import { type JsonLogOptions, jsonLogger, silentLogger } from "./log.ts";

/** A log with the lines it wrote, parsed. */
function kept(options: JsonLogOptions = {}) {
  const raw: string[] = [];
  const log = jsonLogger({ ...options, write: (line) => raw.push(line) });
  return { log, raw, lines: () => raw.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("a line is one JSON object with time, level, message and fields, and ends with a newline", () => {
  const { log, raw, lines } = kept({ fields: { service: "user" } });
  log.info("serving", { port: 8001 });
  expect(raw[0]).toMatch(/^\{[^\n]*\}\n$/);
  expect(lines()).toEqual([
    { time: expect.any(String), level: "info", message: "serving", service: "user", port: 8001 },
  ]);
  expect(new Date(String(lines()[0]?.time)).toISOString()).toBe(lines()[0]?.time);
});

test("levels below the chosen one say nothing", () => {
  const { log, lines } = kept({ level: "warn" });
  for (const level of ["debug", "info", "warn", "error"] as const) log[level](level);
  expect(lines().map(({ level }) => level)).toEqual(["warn", "error"]);
});

test("a child has its own fields on top of its parent's, and the parent has not", () => {
  const { log, lines } = kept({ fields: { a: 1 } });
  log.child({ b: 2 }).child({ c: 3 }).info("child");
  log.info("parent");
  expect(lines()).toMatchObject([{ a: 1, b: 2, c: 3 }, { a: 1 }]);
  expect(lines()[1]).not.toHaveProperty("b");
});

test("errors are told with message, stack and cause, big integers as text", () => {
  const { log, lines } = kept();
  log.error("failed", { id: 42n, error: new TypeError("outer", { cause: new Error("inner") }) });
  expect(lines()).toMatchObject([
    {
      id: "42",
      error: {
        name: "TypeError",
        message: "outer",
        stack: expect.stringContaining("log.test.ts"),
        cause: { message: "inner" },
      },
    },
  ]);
});

test("what JSON cannot hold costs its fields, never the line or the caller", () => {
  const { log, lines } = kept();
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  log.warn("round and round", { loop });
  expect(lines()).toMatchObject([{ level: "warn", message: "round and round" }]);
});

test("the silent log is silent, its children too", () => {
  expect(silentLogger.child({ a: 1 })).toBe(silentLogger);
  silentLogger.info("nothing");
});
