import { writeFileSync } from "node:fs";

/** A case that an engine is known to fail, and what it does instead. */
export interface KnownFailure {
  /** Its name; in Connect's suites a pattern, in which `*` stands for one part of a name and `**` for any number. */
  readonly case: string;
  readonly because: string;
  /** It fails now and then: to pass is no news. */
  readonly isFlaky?: true;
}

/** A case that ended otherwise than it should: it failed, or passed although it is listed as failing. */
export interface Surprise {
  readonly case: string;
  readonly detail: string;
}

/** What one run of one suite against one engine has shown. */
export interface Outcome {
  readonly suite: string;
  readonly passed: number;
  /** Cases that failed as they are known to. */
  readonly known: number;
  readonly surprises: readonly Surprise[];
  /** Cases that failed at first and were tried again. */
  readonly secondTries?: number;
}

/** "h2spec, own engine, cleartext: 146 passed, 0 failed, 0 known to fail", and each surprise below it. */
export function told({ suite, passed, known, surprises, secondTries }: Outcome): string {
  const tries = secondTries ? `; ${secondTries} had a second try` : "";
  const sum = `${suite}: ${passed} passed, ${surprises.length} failed, ${known} known to fail${tries}`;
  const each = surprises.map((one) => `  FAILED  ${one.case}\n${one.detail.replace(/^/gm, "          ")}`);
  return [sum, ...each].join("\n");
}

/**
 * Writes outcomes as vitest writes its own, so that they can be added up with them. What fails as it is known to has
 * neither passed nor failed, and is left out.
 */
export function writeReport(path: string, outcomes: readonly Outcome[]): void {
  const testResults = outcomes.map(({ suite, passed, surprises }) => ({
    name: suite,
    status: surprises.length === 0 ? "passed" : "failed",
    assertionResults: [
      ...surprises.map((one) => ({ title: one.case, status: "failed", failureMessages: [one.detail] })),
      ...Array.from({ length: passed }, () => ({ status: "passed" })),
    ],
  }));
  writeFileSync(path, JSON.stringify({ testResults }));
}
