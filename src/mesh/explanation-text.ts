import type { ExplainedAttempt, ExplainedCall, ExplainedTime } from "./explained-call.ts";

/**
 * What happened to a call, for somebody who reads it in a terminal in the middle of the night: how it ended, what
 * happened when, and where the time went.
 */
export function explanationText(call: ExplainedCall): string {
  const { method, error, startedAt, traceId, attempts, time } = call;
  const trace = traceId === undefined ? "" : `, trace ${traceId}`;
  return [
    `${method}: ${howItEnded(call)}`,
    ...(error === undefined ? [] : [`  ${error}`]),
    `  began ${calendar(startedAt)}${trace}`,
    "",
    ...stepsOf(call).flatMap(stepLines),
    "",
    ...(attempts.length > 1 ? bars(attempts, time) : []),
    `  time: ${whereTimeWent(call)}`,
  ].join("\n");
}

/** "answered after 3 ms (it had 1 s)". */
export function howItEnded({ outcome, time, allowedMs }: ExplainedCall): string {
  const took = spanText(time.totalMs);
  const had = allowedMs === undefined ? "" : ` (it had ${spanText(allowedMs)})`;
  if (outcome === "under way") return `under way for ${took}${had}`;
  if (outcome === "streaming") return `a stream that goes on, for ${took} so far${had}`;
  return `${outcome === "fallback" ? "answered by the fallback" : outcome} after ${took}${had}`;
}

/** A span as people say it: "0.25 ms", "41.7 ms", "1.2 s". */
export function spanText(ms: number): string {
  if (ms >= 1_000) return `${Math.round(ms / 10) / 100} s`;
  return `${ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms * 10) / 10} ms`;
}

/** "2026-11-21 06:43:02.123 UTC". */
function calendar(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", " UTC");
}

interface Step {
  readonly atMs: number;
  /** Among what happened at the same instant: the attempt that it belongs to, and its beginning, its end, what followed. */
  readonly order: number;
  /** The first on the step's own line, the rest below it. */
  readonly lines: readonly string[];
}

function stepsOf({ attempts, decisions, answeredMs }: ExplainedCall): Step[] {
  const steps = [
    ...attempts.flatMap((attempt) => [sentStep(attempt), ...endStep(attempt)]),
    ...decisions.map(({ atMs, after, what }) => ({ atMs, order: 4 * after + 3, lines: [what] })),
    ...(answeredMs === undefined
      ? []
      : [{ atMs: answeredMs, order: 4 * attempts.length + 1, lines: ["the answer begins"] }]),
  ];
  return steps.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
}

const margin = 11;

function stepLines({ atMs, lines }: Step): string[] {
  return lines.map((line, index) => `${(index === 0 ? spanText(atMs) : "").padStart(margin)}  ${line}`);
}

const kinds = { first: "", retry: ", a repeat,", hedge: ", a hedge since no answer has come yet," } as const;

function sentStep(attempt: ExplainedAttempt): Step {
  const { number, kind, name, address, timeoutMs, startedMs: atMs } = attempt;
  const limit = timeoutMs === undefined ? "" : `, for ${spanText(timeoutMs)} at most`;
  const sent = `attempt ${number}${kinds[kind]} goes to ${name === "" || name === address ? "" : `${name} at `}${address}${limit}`;
  const broken = attempt.fault === undefined ? [] : [`  with an injected fault: ${attempt.fault}`];
  return { atMs, order: 4 * number, lines: [sent, `  ${picked(attempt)}`, ...leftAlone(attempt), ...broken] };
}

/** Whom it was picked from, and what each would have cost. */
function picked({ address, among, rule, candidates }: ExplainedAttempt): string {
  const cost = (whose: string) => candidates.find((one) => one.address === whose)?.costMs ?? 0;
  const own = `cost ${cost(address)} ms`;
  if (rule === "trial") return `its circuit is half-open: this attempt tries it (${own})`;
  const why = rule === "panic" ? "; health is not believed, for fewer than half are healthy" : "";
  if (among === 1) return `the only candidate, ${own}${why}`;
  const others = candidates.filter((one) => one.address !== address);
  if (others.length === 0) return `picked among ${among}, ${own}${why}`;
  return `picked among ${among}, ${own}; ${others.map((one) => `${one.address} ${one.costMs} ms`).join(", ")}${why}`;
}

function leftAlone({ leftOut }: ExplainedAttempt): string[] {
  return leftOut.map(({ address, why }) => `  left alone: ${address}, ${why}`);
}

function endStep({ number, startedMs, endedMs, outcome, error, opened }: ExplainedAttempt): Step[] {
  if (endedMs === undefined) return [];
  const why = outcome === "given up" ? "the call needs it no longer" : error;
  const end = `attempt ${number}: ${outcome} after ${spanText(endedMs - startedMs)}${why === undefined ? "" : `: ${why}`}`;
  const circuit = opened === undefined ? [] : [`  this opens the circuit of the endpoint: ${opened}`];
  return [{ atMs: endedMs, order: 4 * number + 1, lines: [end, ...circuit] }];
}

const barWidth = 40;

/** Attempts beneath each other, each as long as it took and where it stood in the call. */
function bars(attempts: readonly ExplainedAttempt[], { totalMs }: ExplainedTime): string[] {
  const at = (ms: number) => Math.round((Math.min(ms, totalMs) / (totalMs || 1)) * barWidth);
  const width = Math.max(...attempts.map(({ address }) => address.length));
  const lines = attempts.map(({ number, address, startedMs, endedMs = totalMs, outcome }) => {
    const from = Math.min(at(startedMs), barWidth - 1);
    const bar = `${" ".repeat(from)}${"=".repeat(Math.max(1, at(endedMs) - from))}`.padEnd(barWidth);
    const took = spanText(Math.max(0, endedMs - startedMs)).padStart(margin - 2);
    return `  attempt ${number} |${bar}| ${took}  ${address.padEnd(width)}  ${outcome}`;
  });
  return [...lines, ""];
}

/** What takes less than a hundredth is nowhere that time went. */
const notableRatio = 0.01;

function whereTimeWent({ attempts, time }: ExplainedCall): string {
  const { totalMs, beforeMs, attemptsMs, betweenMs } = time;
  if (attempts.length === 0) return `${spanText(totalMs)}, and nothing was sent`;
  const isOne = attempts.length === 1;
  const parts = [`${spanText(attemptsMs)} ${isOne ? "in the attempt" : "in attempts"}`];
  const notable = (ms: number) => ms > totalMs * notableRatio;
  if (notable(beforeMs)) parts.push(`${spanText(beforeMs)} waiting before ${isOne ? "it" : "the first"}`);
  if (notable(betweenMs)) parts.push(`${spanText(betweenMs)} waiting ${isOne ? "after it" : "between them"}`);
  return parts.join(", ");
}
