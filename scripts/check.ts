/** Runs every check that needs no running system, all at once: one line each, and the output of those that failed. */
import { spawn } from "node:child_process";
import { join } from "node:path";

interface Check {
  readonly name: string;
  readonly command: string;
}
interface Result {
  readonly ok: boolean;
  readonly output: string;
  readonly seconds: string;
}

const checks: readonly Check[] = [
  { name: "types", command: "tsc -p . --noEmit" },
  { name: "lint and format", command: "biome check --error-on-warnings ." },
  { name: "promises", command: "oxlint --type-aware --deny-warnings src scripts" },
  { name: "layout", command: "vitest run --project unit src/test/layout.test.ts" },
  { name: "buf lint", command: "buf lint" },
  { name: "buf format", command: "buf format --diff --exit-code proto" },
  { name: "buf breaking", command: "node scripts/breaking.ts" },
  { name: "gen is fresh", command: "node scripts/gen-fresh.ts" },
];

function run({ command }: Check): Promise<Result> {
  const startedAt = Date.now();
  const env = { ...process.env, HEDDLE_TEST_REPORT: "" }; // the layout test reports as one of the unit tests
  const child = spawn(command, { shell: true, cwd: join(import.meta.dirname, ".."), env });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on("close", (code) =>
      resolve({ ok: code === 0, output, seconds: ((Date.now() - startedAt) / 1000).toFixed(1) }),
    );
  });
}

const running = checks.map((check) => ({ check, result: run(check) }));
let failed = 0;
for (const { check, result } of running) {
  const { ok, output, seconds } = await result;
  console.log(`${ok ? "ok    " : "FAILED"}  ${check.name.padEnd(16)} ${seconds.padStart(5)} s`);
  if (!ok || check.name === "buf breaking") console.log(output.trimEnd().replace(/^/gm, "        "));
  if (!ok) failed++;
}
process.exitCode = failed > 0 ? 1 : 0;
