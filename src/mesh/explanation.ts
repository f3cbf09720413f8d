import { methodName } from "../call/method.ts";
import { codeName } from "../call/outcome.ts";
import { traceIdOf } from "../call/traceparent.ts";
import type { AttemptFacts, Story } from "./story.ts";

/** One thing that happened to a call. */
export interface ExplainedStep {
  /** Milliseconds since the call began. */
  readonly atMs: number;
  readonly what: string;
}

/** Where the time of a call went, in milliseconds. What no attempt took was waiting: for a place, or between attempts. */
export interface ExplainedTime {
  readonly totalMs: number;
  readonly waitingMs: number;
  readonly attemptsMs: number;
}

/** What happened to a call, in words: as a string for people, as JSON for programs. */
export class Explanation {
  /** "shop.user.v1.UserService/GetUser". */
  readonly method: string;
  /** 32 hexadecimal digits; `undefined` for a call that is in no trace. */
  readonly traceId: string | undefined;
  /** "under way", "answered", or the name of the code with what the error said. */
  readonly outcome: string;
  /** When it began, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly time: ExplainedTime;
  /** Time that it was given, in milliseconds. */
  readonly allowedMs: number | undefined;
  readonly steps: readonly ExplainedStep[];

  constructor(story: Story, now: number) {
    const endedAt = story.endedAt ?? now;
    this.method = methodName(story.method);
    this.traceId = traceIdOf(story.traceparent);
    this.outcome = story.endedAt === undefined ? "under way" : outcomeOf(story);
    this.startedAt = story.startedAt;
    this.allowedMs = story.deadlineAt === undefined ? undefined : story.deadlineAt - story.startedAt;
    this.time = timeOf(story, endedAt);
    this.steps = stepsOf(story);
  }

  /** A line for the whole, a line for each step, and one that says where the time went. */
  toString(): string {
    const { totalMs, waitingMs, attemptsMs } = this.time;
    const allowed = this.allowedMs === undefined ? "" : ` of ${inMs(this.allowedMs)}`;
    const trace = this.traceId === undefined ? "" : `, trace ${this.traceId}`;
    const steps = this.steps.map(({ atMs, what }) => `${inMs(atMs).padStart(12)}  ${what}`);
    const went = `time went: ${inMs(attemptsMs)} in attempts, ${inMs(waitingMs)} waiting`;
    return [`${this.method}: ${this.outcome} after ${inMs(totalMs)}${allowed}${trace}`, ...steps, `  ${went}`].join(
      "\n",
    );
  }
}

function stepsOf(story: Story): readonly ExplainedStep[] {
  const steps = [
    ...story.decisions.map(({ at, what }) => ({ at, what })),
    ...story.attempts.flatMap((attempt) => [sent(attempt), ...ended(attempt)]),
  ];
  // What was decided comes after what it was decided about; what was sent at the same instant comes after that.
  return steps.sort((a, b) => a.at - b.at).map(({ at, what }) => ({ atMs: at - story.startedAt, what }));
}

function sent({ number, kind, endpoint, startedAt, timeoutMs, weighed, fault }: AttemptFacts) {
  const why = { first: "", retry: ", a repeat", hedge: ", a hedge beside it" }[kind];
  const allowed = timeoutMs === undefined ? "" : `, ${inMs(timeoutMs)} at most`;
  const costs = weighed.map(({ address, cost }) => `${address} at ${inMs(cost)}`).join(", ");
  const broken = fault === undefined ? "" : `, with an injected fault: ${fault}`;
  return {
    at: startedAt,
    what: `attempt ${number}${why}: to ${endpoint.name} ${endpoint.address}${allowed} (costs: ${costs})${broken}`,
  };
}

function ended({ number, endedAt, code, message }: AttemptFacts) {
  if (endedAt === undefined) return [];
  const how = code === undefined ? "answered" : `${codeName(code)}: ${message}`;
  return [{ at: endedAt, what: `attempt ${number}: ${how}` }];
}

function timeOf(story: Story, endedAt: number): ExplainedTime {
  const totalMs = endedAt - story.startedAt;
  const spans = story.attempts.map(({ startedAt, endedAt: end = endedAt }) => ({
    from: startedAt,
    to: Math.min(end, endedAt),
  }));
  const attemptsMs = covered(spans);
  return { totalMs, attemptsMs, waitingMs: Math.max(0, totalMs - attemptsMs) };
}

/** How much time the spans, which come in the order of their beginnings, cover together. */
function covered(spans: readonly { readonly from: number; readonly to: number }[]): number {
  let sum = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans) {
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return sum;
}

function outcomeOf({ code, message }: Story): string {
  return code === undefined ? "answered" : `${codeName(code)} (${message})`;
}

function inMs(ms: number): string {
  if (ms >= 1_000) return `${Math.round(ms / 10) / 100} s`;
  return `${ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms * 10) / 10} ms`;
}
