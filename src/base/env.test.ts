import { expect, test, vi } from "vitest";
import { EnvReader, environmentOr, readSettings } from "./env.ts";

const load = (read: EnvReader) => ({
  host: read.text("HOST", "127.0.0.1", "where to listen"),
  port: read.port("PORT", 8001, "0 lets the system choose"),
  drainMs: read.durationMs("DRAIN_TIMEOUT", 10_000, "how long calls may finish"),
  level: read.choice("LOG_LEVEL", ["info", "warn"], "info"),
  traced: read.bool("TRACED", false),
  peers: read.list("PEERS", []),
});

test("unset and empty variables have their defaults", () => {
  const settings = load(new EnvReader({ PORT: "" }));
  expect(settings).toEqual({
    host: "127.0.0.1",
    port: 8001,
    drainMs: 10_000,
    level: "info",
    traced: false,
    peers: [],
  });
});

test("what is set is read as what it is", () => {
  const env = { HOST: "::", PORT: "0", DRAIN_TIMEOUT: "1m", LOG_LEVEL: "warn", TRACED: "1", PEERS: "a:1, b:2" };
  expect(load(new EnvReader(env))).toEqual({
    host: "::",
    port: 0,
    drainMs: 60_000,
    level: "warn",
    traced: true,
    peers: ["a:1", "b:2"],
  });
});

test.each([
  ["250ms", 250],
  ["10s", 10_000],
  ["1.5s", 1_500],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["250", 250],
  ["0", 0],
])("the span %s is %d ms", (raw, expected) => {
  const read = new EnvReader({ SPAN: raw });
  expect(read.durationMs("SPAN", 1)).toBe(expected);
  expect(read.complaints).toEqual([]);
});

test.each(["10 s", "-1s", "s", "1d", "1e3", "NaN"])("%s is no span", (raw) => {
  const read = new EnvReader({ SPAN: raw });
  expect(read.durationMs("SPAN", 1)).toBe(1);
  expect(read.complaints).toEqual([`SPAN=${raw} has to be a span such as "250ms", "10s" or "5m"`]);
});

test.each(["65536", "-1", "80.5", "http", "0x50"])("%s is no port", (raw) => {
  const read = new EnvReader({ PORT: raw });
  read.port("PORT", 1);
  expect(read.complaints).toEqual([`PORT=${raw} has to be a whole number from 0 to 65535`]);
});

test("everything wrong is complained about at once, by name and value", () => {
  const read = new EnvReader({ PORT: "x", LOG_LEVEL: "loud", TRACED: "yes" });
  load(read);
  read.text("DATABASE_URL");
  read.parsed("RATIO", "1", "", (raw) => Number(raw));
  expect(read.complaints).toEqual([
    "PORT=x has to be a whole number from 0 to 65535",
    "LOG_LEVEL=loud has to be one of info, warn",
    "TRACED=yes has to be true or false",
    "DATABASE_URL is not set and has no default",
  ]);
});

test("the table lists every setting with its default as it would be written", () => {
  const read = new EnvReader({ PORT: "9" });
  load(read);
  read.text("DATABASE_URL", undefined, "which database");
  expect(read.table().split("\n")).toEqual([
    "  HOST           127.0.0.1   where to listen",
    "  PORT           8001        0 lets the system choose",
    "  DRAIN_TIMEOUT  10s         how long calls may finish",
    "  LOG_LEVEL      info",
    "  TRACED         false",
    '  PEERS          ""',
    "  DATABASE_URL   (required)  which database",
  ]);
});

/** Runs `readSettings` as a program would; tells its status and what it printed. */
function start(env: NodeJS.ProcessEnv, args: string[] = []) {
  const exit = vi.spyOn(process, "exit").mockImplementation((status) => {
    throw new Error(`exit ${status}`);
  });
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const printed = (spy: { mock: { calls: unknown[][] } }) => spy.mock.calls.map(([text]) => text).join("");
  try {
    return { settings: readSettings("user", load, { env, args }), ended: "" };
  } catch (reason) {
    return { ended: (reason as Error).message, out: printed(out), err: printed(err) };
  } finally {
    for (const spy of [exit, out, err]) spy.mockRestore();
  }
}

test("a good start gets its settings", () => {
  expect(start({ PORT: "7" })).toMatchObject({ settings: { port: 7 }, ended: "" });
});

test("a bad start ends with status 2 and every complaint", () => {
  const { ended, err } = start({ PORT: "x", LOG_LEVEL: "loud" });
  expect(ended).toBe("exit 2");
  expect(err).toMatch(/^user cannot start:\n {2}PORT=x .*\n {2}LOG_LEVEL=loud .*\n$/);
});

test("--help ends with status 0 and the defaults, whatever is set", () => {
  const { ended, out } = start({ PORT: "x" }, ["--help"]);
  expect(ended).toBe("exit 0");
  expect(out).toContain("PORT           8001");
});

test("a library's default gives way to what the environment says", () => {
  vi.stubEnv("HEDDLE_TEST_WORD", "said");
  expect(environmentOr("HEDDLE_TEST_WORD", "default")).toBe("said");
  vi.stubEnv("HEDDLE_TEST_WORD", "");
  expect(environmentOr("HEDDLE_TEST_WORD", "default")).toBe("default");
  vi.unstubAllEnvs();
});
