import {
  type DescMethod,
  type DescService,
  fromJsonString,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import {
  type Breaker,
  BreakerPreset,
  type Hedge,
  method as methodOption,
  type MethodPolicy as PolicyMessage,
  service as serviceOption,
} from "../../gen/heddle/policy/v1/policy_pb.ts";
import { type Deprecation, deprecationOf } from "./deprecation.ts";
import { safeToRepeatNamed, withoutSideEffects } from "./method.ts";
import { contradictions } from "./policy-check.ts";
import { defaultBackoff, defaultTimeoutOf } from "./policy-defaults.ts";

/** The rules of one method as its contract states them, with the defaults of DESIGN §4 filled in. Spans in ms. */
export interface MethodPolicy {
  /** For the whole call. `undefined`, a stream without a deadline. */
  readonly timeoutMs: number | undefined;
  readonly retry: RetryRules;
  readonly hedge: HedgeRules | undefined;
  readonly breaker: BreakerRules;
  readonly concurrency: { readonly maxInFlight: number; readonly maxQueued: number };
  readonly criticality: "sheddable" | "normal" | "critical";
  /** `undefined`, anyone who reaches the port. */
  readonly access: { readonly scopes: readonly string[]; readonly anonymous: boolean } | undefined;
  readonly rateLimit: { readonly calls: number; readonly periodMs: number; readonly burst: number } | undefined;
  readonly cache: { readonly maxAgeMs: number; readonly private: boolean } | undefined;
  /** Template of the `Location` that REST answers with: "/v1/users/{user.id}". */
  readonly createdLocation: string | undefined;
  /** What answers when nobody can be asked; `undefined`, the call fails. */
  readonly fallback: Message | undefined;
  /** What answers tell of its being deprecated; `undefined`, nothing. */
  readonly deprecation: Deprecation | undefined;
}

/** When a failed attempt is sent again. */
export interface RetryRules {
  /** Sends in all; 1 where a repeat may change something twice. */
  readonly maxAttempts: number;
  readonly perAttemptTimeoutMs: number | undefined;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly codes: ReadonlySet<Code>;
  /** How many services in a row may repeat the same work, this one included. */
  readonly maxDepth: number;
}

/** When a slow attempt is raced by another. */
export interface HedgeRules {
  readonly after: { readonly delayMs: number } | { readonly percentile: number };
  readonly maxExtra: number;
}

/** When an endpoint that fails is left alone. */
export interface BreakerRules {
  readonly consecutiveFailures: number;
  /** `undefined`, the share of successes is not looked at. */
  readonly minSuccessRatio: number | undefined;
  readonly minCalls: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** `undefined`, nobody looks whether calls are slow. */
  readonly maxSlowRatio: number | undefined;
  /** How many times the method's 95th percentile a call has to take to be slow. */
  readonly slowFactor: number;
}

/** Breakers by name: `default` is Linkerd's, `classic` the one of the source articles. */
export const breakerPresets = {
  default: {
    consecutiveFailures: 5,
    minSuccessRatio: 0.5,
    minCalls: 10,
    openMs: 1_000,
    maxOpenMs: 60_000,
    maxSlowRatio: 0.8,
    slowFactor: 3,
  },
  classic: {
    consecutiveFailures: 3,
    minSuccessRatio: undefined,
    minCalls: 10,
    openMs: 30_000,
    maxOpenMs: 30_000,
    maxSlowRatio: undefined,
    slowFactor: 3,
  },
} as const satisfies Record<string, BreakerRules>;

/** A contract that cannot be kept. The message names each method and why, a line each. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

const policies = new WeakMap<DescMethod, MethodPolicy>();

/** The rules of a method. Read from the descriptor once. Throws PolicyError if the contract contradicts itself. */
export function methodPolicy(method: DescMethod): MethodPolicy {
  const known = policies.get(method);
  if (known !== undefined) return known;
  const wrong = contradictions(method, stated(method));
  if (wrong.length > 0) throw new PolicyError(wrong.join("\n"));
  const policy = complete(method, stated(method));
  policies.set(method, policy);
  return policy;
}

/** Throws one PolicyError with everything that contradicts itself in the service; serving and calling start with it. */
export function assertPolicies(service: DescService): void {
  const wrong = service.methods.flatMap((method) => contradictions(method, stated(method)));
  if (wrong.length > 0) throw new PolicyError(wrong.join("\n"));
}

/**
 * What the method says, and below it what its service says for all: each part is taken whole from one of the two.
 * Deadlines, repeats and caching reach only the methods for which they make sense: a stream that should end by time
 * says so itself, and a method that asks for repeats or caching it cannot have is refused.
 */
function stated(method: DescMethod): PolicyMessage {
  const own = getOption(method, methodOption);
  const shared = hasOption(method.parent, serviceOption) ? getOption(method.parent, serviceOption).defaults : undefined;
  if (shared === undefined) return own;
  const repeatable = safeToRepeatNamed(method);
  const unary = method.methodKind === "unary";
  return {
    ...own,
    ...pick(own.timeout ?? (unary ? shared.timeout : undefined), "timeout"),
    ...pick(own.retry ?? (repeatable ? shared.retry : undefined), "retry"),
    ...pick(own.hedge ?? (repeatable && unary ? shared.hedge : undefined), "hedge"),
    ...pick(own.breaker ?? shared.breaker, "breaker"),
    ...pick(own.concurrency ?? shared.concurrency, "concurrency"),
    ...pick(own.access ?? shared.access, "access"),
    ...pick(own.rateLimit ?? shared.rateLimit, "rateLimit"),
    ...pick(own.cache ?? (withoutSideEffects(method) ? shared.cache : undefined), "cache"),
    ...pick(own.deprecation ?? shared.deprecation, "deprecation"),
    ...pick(own.fallback ?? (unary ? shared.fallback : undefined), "fallback"),
    criticality: own.criticality || shared.criticality,
  };
}

function pick<K extends string, V>(value: V | undefined, key: K): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: V });
}

function complete(method: DescMethod, policy: PolicyMessage): MethodPolicy {
  return {
    timeoutMs: span(policy.timeout) ?? defaultTimeoutOf(method),
    retry: retryRules(method, policy),
    hedge: policy.hedge && hedgeRules(policy.hedge),
    breaker: breakerRules(policy.breaker),
    concurrency: {
      maxInFlight: policy.concurrency?.maxInFlight || 256,
      maxQueued: policy.concurrency?.maxQueued || 128,
    },
    criticality: (["normal", "sheddable", "normal", "critical"] as const)[policy.criticality as number] ?? "normal",
    access: policy.access && { scopes: policy.access.scopes, anonymous: policy.access.anonymous },
    rateLimit: policy.rateLimit && {
      calls: policy.rateLimit.calls,
      periodMs: span(policy.rateLimit.period) ?? 1_000,
      burst: policy.rateLimit.burst || policy.rateLimit.calls,
    },
    cache: policy.cache && { maxAgeMs: span(policy.cache.maxAge) ?? 0, private: policy.cache.private },
    createdLocation: policy.created?.location,
    deprecation: policy.deprecation && deprecationOf(policy.deprecation),
    fallback: policy.fallback && fromJsonString(method.output, policy.fallback.responseJson),
  };
}

const retryable: ReadonlySet<Code> = new Set([Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded]);

function retryRules(method: DescMethod, { retry, hedge }: PolicyMessage): RetryRules {
  const sends = Math.max(3, 1 + (hedge?.maxExtra ?? 0)); // hedges are sends, too
  return {
    maxAttempts: safeToRepeatNamed(method) ? retry?.maxAttempts || sends : 1,
    perAttemptTimeoutMs: span(retry?.perAttemptTimeout),
    initialBackoffMs: span(retry?.initialBackoff) ?? defaultBackoff.initialMs,
    maxBackoffMs: span(retry?.maxBackoff) ?? defaultBackoff.maxMs,
    codes: retry?.codes.length ? new Set(retry.codes as readonly number[] as readonly Code[]) : retryable,
    maxDepth: retry?.maxDepth || 1,
  };
}

function hedgeRules(hedge: Hedge): HedgeRules {
  const maxExtra = hedge.maxExtra || 1;
  if (hedge.after.case === "afterPercentile") return { after: { percentile: hedge.after.value }, maxExtra };
  return { after: { delayMs: span(hedge.after.value) ?? 0 }, maxExtra };
}

function breakerRules(breaker: Breaker | undefined): BreakerRules {
  const preset = breakerPresets[breaker?.preset === BreakerPreset.CLASSIC ? "classic" : "default"];
  const percent = breaker?.minSuccessPercent;
  const slowPercent = breaker?.maxSlowPercent;
  return {
    consecutiveFailures: breaker?.consecutiveFailures || preset.consecutiveFailures,
    minSuccessRatio: percent ? percent / 100 : preset.minSuccessRatio,
    minCalls: breaker?.minCalls || preset.minCalls,
    openMs: span(breaker?.openTime) ?? preset.openMs,
    maxOpenMs: span(breaker?.maxOpenTime) ?? Math.max(preset.maxOpenMs, span(breaker?.openTime) ?? 0),
    maxSlowRatio: slowPercent ? slowPercent / 100 : preset.maxSlowRatio,
    slowFactor: breaker?.slowFactor || preset.slowFactor,
  };
}

function span(duration: Duration | undefined): number | undefined {
  return duration && durationMs(duration);
}
