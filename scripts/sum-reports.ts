/**
 * Adds up the vitest reports in a folder and prints "N passed, N failed" as its last line.
 *
 * A test file that could not run, and a step (named in the folder's file `failed`) that broke without a failed test,
 * count as one failure each: nothing red adds up to green.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}
interface Sum {
  readonly passed: number;
  readonly failed: number;
}

const folder = process.argv[2] ?? ".";

function sum({ testResults }: Report): Sum {
  const each = testResults.map(({ status, assertionResults }) => {
    const passed = assertionResults.filter((test) => test.status === "passed").length;
    const failed = assertionResults.length - passed; // a skipped test has not passed
    return { passed, failed: failed === 0 && status !== "passed" ? 1 : failed };
  });
  return add(each);
}

function add(sums: readonly Sum[]): Sum {
  return sums.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }), {
    passed: 0,
    failed: 0,
  });
}

const failedSteps = existsSync(join(folder, "failed"))
  ? readFileSync(join(folder, "failed"), "utf8").trim().split("\n")
  : [];
const sums = new Map(
  globSync(join(folder, "*.json")).map((path): [string, Sum] => [
    basename(path, ".json"),
    sum(JSON.parse(readFileSync(path, "utf8")) as Report),
  ]),
);
for (const step of failedSteps) {
  const known = sums.get(step) ?? { passed: 0, failed: 0 };
  sums.set(step, { ...known, failed: Math.max(1, known.failed) });
}
for (const [step, { passed, failed }] of sums) console.log(`${step}: ${passed} passed, ${failed} failed`);
const total = add([...sums.values()]);
console.log();
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
