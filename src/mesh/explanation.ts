import { Code } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import { methodName } from "../call/method.ts";
import { codeName } from "../call/outcome.ts";
import { traceIdOf } from "../call/traceparent.ts";
import type { ExplainedAttempt, ExplainedCall, ExplainedDecision, ExplainedTime } from "./explained-call.ts";
import { explanationText } from "./explanation-text.ts";
import type { AttemptFacts, Story } from "./story.ts";

/** What happened to a call: as a string for people, as JSON for programs. */
export class Explanation implements ExplainedCall {
  declare readonly method: string;
  declare readonly traceId?: string;
  declare readonly startedAt: number;
  declare readonly outcome: string;
  declare readonly answeredMs?: number;
  declare readonly error?: string;
  declare readonly allowedMs?: number;
  declare readonly time: ExplainedTime;
  declare readonly attempts: readonly ExplainedAttempt[];
  declare readonly decisions: readonly ExplainedDecision[];

  constructor(story: Story, clock: Pick<Clock, "now" | "wall">) {
    Object.assign(this, explainedCall(story, clock));
  }

  /** An account to be read from top to bottom, by somebody in a hurry. */
  toString(): string {
    return explanationText(this);
  }
}

function explainedCall(story: Story, clock: Pick<Clock, "now" | "wall">): ExplainedCall {
  const now = clock.now();
  const { startedAt, deadlineAt, decisions } = story;
  const traceId = traceIdOf(story.traceparent);
  const { outcome, error, endedAt } = endOf(story);
  return {
    method: methodName(story.method),
    ...(traceId !== undefined && { traceId }),
    startedAt: exact(startedAt + calendarAhead(clock)),
    outcome,
    ...(isAnswering(story) && { answeredMs: exact((story.endedAt ?? now) - startedAt) }),
    ...(error !== undefined && { error }),
    ...(deadlineAt !== undefined && { allowedMs: exact(deadlineAt - startedAt) }),
    time: timeOf(story, endedAt ?? now),
    attempts: story.attempts.map((attempt) => explainedAttempt(attempt, story)),
    decisions: decisions.map(({ at, after, what }) => ({ atMs: exact(at - startedAt), after, what })),
  };
}

interface End {
  readonly outcome: string;
  readonly error?: string | undefined;
  readonly endedAt?: number | undefined;
}

/** How it ended. A stream's story ends when it begins to be answered; the rest is told by the attempt that was. */
function endOf(story: Story): End {
  const { endedAt, code, message: error } = story;
  if (endedAt === undefined) return { outcome: "under way" };
  if (story.isFallback) return { outcome: "fallback", error, endedAt };
  if (code !== undefined) return { outcome: codeName(code), error, endedAt };
  const last = story.attempts.at(-1);
  if (!isAnswering(story) || last === undefined) return { outcome: "answered", endedAt };
  if (last.endedAt === undefined) return { outcome: "streaming" };
  const outcome = last.code === undefined ? "answered" : codeName(last.code);
  return { outcome, error: last.message, endedAt: last.endedAt };
}

/** Whether it is a stream whose answer has begun. */
function isAnswering({ method, endedAt, code }: Story): boolean {
  return method.methodKind !== "unary" && endedAt !== undefined && code === undefined;
}

function explainedAttempt(attempt: AttemptFacts, story: Story): ExplainedAttempt {
  const { number, kind, endpoint, choice, costs, startedAt, endedAt, timeoutMs, message, opened, fault } = attempt;
  const outcome = outcomeOf(attempt, story);
  const costly = costs.length === choice.endpoints.length ? choice.endpoints : [endpoint];
  return {
    number,
    kind,
    name: endpoint.name,
    address: endpoint.address,
    startedMs: exact(startedAt - story.startedAt),
    ...(endedAt !== undefined && { endedMs: exact(endedAt - story.startedAt) }),
    ...(timeoutMs !== undefined && { timeoutMs: exact(timeoutMs) }),
    outcome,
    ...(message !== undefined && { error: message }),
    among: choice.among,
    rule: choice.rule,
    candidates: costly.map(({ address }, at) => ({ address, costMs: costs[at] ?? 0 })),
    leftOut: choice.leftOut,
    ...(opened !== undefined && { opened }),
    ...(fault !== undefined && { fault }),
  };
}

/** How an attempt ended. One that the call needed no longer is given up, which says nothing of its endpoint. */
function outcomeOf({ code, endedAt }: AttemptFacts, story: Story): string {
  if (endedAt === undefined && isAnswering(story)) return "streaming";
  if (endedAt === undefined) return story.endedAt === undefined ? "under way" : "given up";
  if (code === undefined) return "answered";
  const isLate = story.endedAt !== undefined && endedAt >= story.endedAt && !isAnswering(story);
  return isLate && code === Code.Canceled && code !== story.code ? "given up" : codeName(code);
}

function timeOf({ startedAt, attempts }: Story, endedAt: number): ExplainedTime {
  const totalMs = endedAt - startedAt;
  const beforeMs = (attempts[0]?.startedAt ?? endedAt) - startedAt;
  const attemptsMs = covered(attempts, endedAt);
  const betweenMs = Math.max(0, totalMs - beforeMs - attemptsMs);
  return {
    totalMs: exact(totalMs),
    beforeMs: exact(beforeMs),
    attemptsMs: exact(attemptsMs),
    betweenMs: exact(betweenMs),
  };
}

/** How much time attempts, which come in the order of their beginnings, cover together. */
function covered(attempts: readonly AttemptFacts[], endedAt: number): number {
  let sum = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const attempt of attempts) {
    const to = Math.min(attempt.endedAt ?? endedAt, endedAt);
    sum += Math.max(0, to - Math.max(attempt.startedAt, until));
    until = Math.max(until, to);
  }
  return sum;
}

/** By how much the calendar, which is told in whole milliseconds rounded down, is ahead of the even clock. */
function calendarAhead({ now, wall }: Pick<Clock, "now" | "wall">): number {
  return Math.ceil(wall() - now());
}

/** To the microsecond: what clocks tell beyond that is noise. */
function exact(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
