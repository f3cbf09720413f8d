import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jsonAnswer } from "../../server/answers.ts";
import { openServer, type Server } from "../../server/serve.ts";
import { selfSigned } from "../../testing/certificate.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import { type EngineName, engines } from "../../wire/engines.ts";
import { knownFailures } from "./known-failures.ts";
import type { KnownFailure, Outcome, Surprise } from "./outcome.ts";
import { runTool } from "./run-tool.ts";

/** h2spec's verdict on one case. */
interface Verdict {
  readonly case: string;
  /** What it expected and what came; `undefined` when the case passed. */
  readonly complaint: string | undefined;
}

/** Runs every case of h2spec, the strict ones too, against a server over cleartext and one over TLS. */
export async function h2spec(engine: EngineName): Promise<Outcome[]> {
  const known = knownFailures[engine].h2spec;
  await using cleartext = await open(engine);
  await using encrypted = await open(engine, selfSigned());
  return [
    outcome(`h2spec, ${engine} engine, cleartext`, await verdicts(cleartext), known),
    outcome(`h2spec, ${engine} engine, TLS`, await verdicts(encrypted, "--tls", "--insecure"), known),
  ];
}

/** A server that answers as soon as it has the whole request: earlier, the answer would race with what a case sends. */
function open(engine: EngineName, tls?: { readonly key: string; readonly cert: string }): Promise<Server> {
  const fallback: HttpHandler = async ({ body }) => {
    let bytes = 0;
    for await (const piece of body as AsyncIterable<Uint8Array>) bytes += piece.length;
    return jsonAnswer(200, { bytes });
  };
  return openServer({ services: [], engine: engines[engine], fallback, ...(tls && { tls }) });
}

async function verdicts({ port }: Server, ...options: readonly string[]): Promise<Verdict[]> {
  const folder = mkdtempSync(join(tmpdir(), "heddle-h2spec-"));
  try {
    const report = join(folder, "report.xml");
    const args = ["--strict", "--timeout", "2", "--port", String(port), "--junit-report", report, ...options];
    const output = await runTool("h2spec", args);
    const found = read(readFileSync(report, "utf8"));
    if (!output.includes(`${found.length} tests, `)) throw new Error(`h2spec broke off:\n${output}`);
    return found;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The cases of a JUnit report, named "http2/6.7: Sends a PING frame with ACK". */
function read(xml: string): Verdict[] {
  const cases = xml.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g);
  return [...cases].map(([, section = "", title = "", inside = ""]) => {
    const complaint = inside
      .replace(/<skipped>/, "was skipped")
      .replace(/<[^>]*>/g, "\n")
      .trim();
    return { case: `${section}: ${unescaped(title)}`, complaint: complaint === "" ? undefined : unescaped(complaint) };
  });
}

const unescaped = (text: string) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));

function outcome(suite: string, found: readonly Verdict[], known: readonly KnownFailure[]): Outcome {
  const isKnown = (name: string) => known.some((one) => one.case === name);
  const surprises = found.flatMap((verdict): Surprise[] => {
    const { case: name, complaint } = verdict;
    if (isKnown(name) === (complaint !== undefined)) return [];
    return [
      { case: name, detail: complaint ?? "passes: src/test/conformance/known-failures.ts need not list it any more" },
    ];
  });
  const failed = found.filter(({ complaint }) => complaint !== undefined);
  const expected = failed.filter((one) => isKnown(one.case)).length;
  return { suite, passed: found.length - expected - surprises.length, known: expected, surprises };
}
