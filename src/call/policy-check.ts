import { type DescMethod, fromJsonString } from "@bufbuild/protobuf";
import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import type { MethodPolicy } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { messageOf } from "../base/message-of.ts";
import { deprecationComplaint } from "./deprecation.ts";
import { isDeprecated, methodName, safeToRepeatNamed, withoutSideEffects } from "./method.ts";
import { defaultBackoff, defaultTimeoutOf, maxTimeoutMs } from "./policy-defaults.ts";
import { canNameRequests, markedRequestIds } from "./request-id.ts";

/** A rule of the contract about its own options: says what is wrong, or nothing. */
type Check = (policy: MethodPolicy, method: DescMethod) => string | false | undefined;

const checks: readonly Check[] = [
  (p) => notPositive("timeout", p.timeout),
  (p, method) =>
    method.methodKind === "unary" &&
    p.timeout !== undefined &&
    durationMs(p.timeout) > maxTimeoutMs &&
    `timeout is ${durationMs(p.timeout)} ms; ${maxTimeoutMs} ms is the most that a server lets a call run`,
  (p) => notPositive("retry.per_attempt_timeout", p.retry?.perAttemptTimeout),
  (p) => notPositive("retry.initial_backoff", p.retry?.initialBackoff),
  (p) => notPositive("retry.max_backoff", p.retry?.maxBackoff),
  (p) => notPositive("breaker.open_time", p.breaker?.openTime),
  (p) => notPositive("breaker.max_open_time", p.breaker?.maxOpenTime),
  (p) => notPositive("rate_limit.period", p.rateLimit?.period),
  (p, method) => above(["retry.per_attempt_timeout", p.retry?.perAttemptTimeout], timeoutOf(p, method)),
  (p) =>
    above(
      ["retry.initial_backoff", p.retry?.initialBackoff],
      ["retry.max_backoff", p.retry?.maxBackoff, defaultBackoff.maxMs],
    ),
  (p) => (p.retry?.maxAttempts ?? 0) > 5 && `retry.max_attempts is ${p.retry?.maxAttempts}; 5 is the most`,
  (p, method) =>
    (p.retry?.maxAttempts ?? 0) > 1 && !safeToRepeatNamed(method) && `retry.max_attempts is above 1, but ${notSafe}`,
  (p, method) => p.hedge && !safeToRepeatNamed(method) && `hedge is set, but ${notSafe}`,
  (p, method) => p.hedge && method.methodKind !== "unary" && "hedge is set on a stream; only unary calls are hedged",
  (p) => p.hedge && p.hedge.after.case === undefined && "hedge has neither after_delay nor after_percentile",
  (p) => notPositive("hedge.after_delay", delayOf(p)),
  (p, method) => above(["hedge.after_delay", delayOf(p)], timeoutOf(p, method)),
  (p) =>
    p.hedge?.after.case === "afterPercentile" &&
    (p.hedge.after.value < 50 || p.hedge.after.value > 99) &&
    `hedge.after_percentile is ${p.hedge.after.value}; it has to be from 50 to 99`,
  (p) =>
    p.hedge &&
    p.retry &&
    p.retry.maxAttempts > 0 &&
    (p.hedge.maxExtra || 1) >= p.retry.maxAttempts &&
    `hedge.max_extra (${p.hedge.maxExtra || 1}) is not below retry.max_attempts (${p.retry.maxAttempts}), which counts every send`,
  (p) => (p.retry?.maxDepth ?? 0) > 3 && `retry.max_depth is ${p.retry?.maxDepth}; 3 is the most`,
  (p) => (p.hedge?.maxExtra ?? 0) > 3 && `hedge.max_extra is ${p.hedge?.maxExtra}; 3 is the most`,
  (p) =>
    (p.breaker?.minSuccessPercent ?? 0) > 100 &&
    `breaker.min_success_percent is ${p.breaker?.minSuccessPercent}; 100 is the most`,
  (p) =>
    (p.breaker?.maxSlowPercent ?? 0) > 100 &&
    `breaker.max_slow_percent is ${p.breaker?.maxSlowPercent}; 100 is the most`,
  (p) =>
    p.breaker &&
    p.breaker.slowFactor !== 0 &&
    !(p.breaker.slowFactor >= 1) &&
    `breaker.slow_factor is ${p.breaker.slowFactor}; it has to be 1 or more`,
  (p) => above(["breaker.open_time", p.breaker?.openTime], ["breaker.max_open_time", p.breaker?.maxOpenTime]),
  (p) => p.access?.anonymous && p.access.scopes.length > 0 && "access is anonymous and asks for scopes",
  (p) => p.rateLimit && p.rateLimit.calls === 0 && "rate_limit.calls is 0",
  (p, method) => p.cache && !withoutSideEffects(method) && "cache is set, but idempotency_level is not NO_SIDE_EFFECTS",
  (p) =>
    p.cache && (p.cache.maxAge === undefined || durationMs(p.cache.maxAge) <= 0) && "cache.max_age is not positive",
  (p) => p.created && p.created.location === "" && "created.location is empty",
  (p, method) =>
    p.fallback && method.methodKind !== "unary" && "fallback is set on a stream; only unary calls have one",
  (p, method) => p.fallback && method.methodKind === "unary" && unreadable(method, p.fallback.responseJson),
  (p, method) =>
    p.deprecation &&
    !isDeprecated(method) &&
    "deprecation is set, but neither the method nor its service has option deprecated = true",
  (p) => p.deprecation && deprecationComplaint(p.deprecation),
  (_, method) => misnamed(method),
];

const notSafe = "idempotency_level does not say that a repeat is safe, and no field of the request is its request_id";

/** What a method's options say against each other, each with the method's name; empty when they agree. */
export function contradictions(method: DescMethod, policy: MethodPolicy): string[] {
  const found = checks.map((check) => check(policy, method)).filter((wrong) => typeof wrong === "string");
  return found.map((wrong) => `${methodName(method)}: ${wrong}`);
}

function notPositive(name: string, span: Duration | undefined): string | undefined {
  return span !== undefined && durationMs(span) <= 0 ? `${name} is not positive` : undefined;
}

/** A span by the name the contract gives it, and what it is in milliseconds where the contract leaves it out. */
type Span = readonly [name: string, stated: Duration | undefined, defaultMs?: number | undefined];

function above([name, stated]: Span, [limitName, limit, defaultMs]: Span): string | undefined {
  const limitMs = limit === undefined ? defaultMs : durationMs(limit);
  if (stated === undefined || limitMs === undefined || limitMs <= 0) return undefined; // said already
  if (durationMs(stated) <= limitMs) return undefined;
  const by = limit === undefined ? " by default" : "";
  return `${name} (${durationMs(stated)} ms) is above ${limitName} (${limitMs} ms${by})`;
}

/** What is wrong with the fields that are marked as request_id. */
function misnamed(method: DescMethod): string | undefined {
  const marked = markedRequestIds(method);
  const [field] = marked;
  if (field === undefined) return undefined;
  const { typeName } = method.input;
  if (marked.length > 1) {
    const names = marked.map(({ name }) => name).join(", ");
    return `request_id is set on ${marked.length} fields of ${typeName} (${names}); one is the most`;
  }
  const is = `request_id is set on ${typeName}.${field.name}`;
  if (!canNameRequests(field)) return `${is}; it has to be a string of its own, in no list, map or oneof`;
  if (method.methodKind !== "unary") return `${is}, but the method is a stream; only unary calls are repeated`;
  return withoutSideEffects(method) ? `${is}, but the method changes nothing: idempotency_level says so` : undefined;
}

function unreadable(method: DescMethod, json: string): string | undefined {
  try {
    fromJsonString(method.output, json);
    return undefined;
  } catch (reason) {
    const why = messageOf(reason);
    return `fallback.response_json is no ${method.output.typeName}: ${why}`;
  }
}

function timeoutOf({ timeout }: MethodPolicy, method: DescMethod): Span {
  return ["timeout", timeout, defaultTimeoutOf(method)];
}

function delayOf({ hedge }: MethodPolicy): Duration | undefined {
  return hedge?.after.case === "afterDelay" ? hedge.after.value : undefined;
}
