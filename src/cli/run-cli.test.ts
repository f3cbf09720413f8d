import { expect, test } from "vitest";
import { fakeClock } from "../testing/fake-clock.ts";
import type { Command } from "./command.ts";
import { runCli } from "./run-cli.ts";

/** A command that says what it was given. */
const echo: Command = {
  name: "echo",
  about: "Say it again",
  words: "[word…]",
  options: {
    lines: { type: "string", short: "n", about: "how many" },
    json: { type: "boolean", about: "for machines" },
  },
  async run({ out, home }, args) {
    out.line(JSON.stringify({ ...args, home }));
    return 3;
  },
};
const quiet: Command = { name: "quiet", about: "Say nothing", run: async () => 0 };

async function heddle(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  let [out, err] = ["", ""];
  const status = await runCli({
    args,
    env,
    plan: [],
    commands: [echo, quiet],
    clock: fakeClock(),
    interrupted: new AbortController().signal,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { status, out, err };
}

test("a command gets its flags, its words and its settings, and its status is the program's", async () => {
  const { status, out } = await heddle(["echo", "user", "-n", "5", "--json"], { HEDDLE_HOME: "/tmp/h" });
  expect(status).toBe(3);
  expect(JSON.parse(out)).toEqual({ flags: { lines: "5", json: true }, words: ["user"], home: "/tmp/h" });
});

test.each([
  [["ehco"], 'no command "ehco": did you mean echo?'],
  [["nonsense"], 'no command "nonsense"\n'],
  [["echo", "--jsno"], "no option --jsno: did you mean --json?"],
  [["echo", "--lines"], "--lines needs a value"],
  [["echo", "--json=yes"], "--json takes no value"],
  [["quiet", "word"], 'takes no "word"'],
])("%j cannot be understood: status 2, and the reason on standard error", async (args, reason) => {
  const { status, out, err } = await heddle(args);
  expect({ status, out }).toEqual({ status: 2, out: "" });
  expect(err).toContain(reason);
});

test.each([[[]], [["--help"]], [["-h"]], [["help"]]])("%j lists commands and settings", async (args) => {
  const { status, out } = await heddle(args);
  expect(status).toBe(0);
  expect(out).toContain("echo   Say it again");
  expect(out).toContain("HEDDLE_HOME");
});

test.each([[["echo", "--help"]], [["help", "echo"]], [["echo", "-h", "word"]]])("%j explains echo", async (args) => {
  const { status, out } = await heddle(args);
  expect(status).toBe(0);
  expect(out).toContain("Usage: heddle echo [word…] [options]");
  expect(out).toMatch(/-n, --lines <value> {2}how many/);
});

test("the version is the package's", async () => {
  expect((await heddle(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});
