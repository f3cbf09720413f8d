import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { safeToRepeat, withoutSideEffects } from "../../call/method.ts";
import { type MethodPolicy, methodPolicy } from "../../call/policy.ts";
import { requestIdField } from "../../call/request-id.ts";

/** The name of the one way to prove who calls. */
export const bearer = "bearer";

/** What a contract's policy comes to in an operation: who may, in OpenAPI's own words, and the rest as extensions. */
export function policyKeywords(method: DescMethod): JsonObject {
  const { access, timeoutMs, retry, rateLimit, cache, criticality } = methodPolicy(method);
  return {
    ...(access && { security: access.anonymous ? [] : [{ [bearer]: [...access.scopes] }] }),
    ...(timeoutMs !== undefined && { "x-heddle-timeout": inSeconds(timeoutMs) }),
    "x-heddle-idempotency": idempotencyOf(method),
    "x-heddle-criticality": criticality,
    ...(retry.maxAttempts > 1 && { "x-heddle-retry": { maxAttempts: retry.maxAttempts } }),
    ...(rateLimit && {
      "x-heddle-rate-limit": { calls: rateLimit.calls, period: inSeconds(rateLimit.periodMs), burst: rateLimit.burst },
    }),
    ...(cache && { "x-heddle-cache": { maxAge: inSeconds(cache.maxAgeMs), private: cache.private } }),
  };
}

/** The same for people, a sentence each. */
export function policyWords(method: DescMethod): readonly string[] {
  const policy = methodPolicy(method);
  return [
    deprecationWords(policy),
    accessWords(policy),
    timeWords(policy),
    repeatWords(method),
    limitWords(policy),
    cacheWords(policy),
  ].filter((words) => words !== "");
}

function idempotencyOf(method: DescMethod): string {
  if (withoutSideEffects(method)) return "no-side-effects";
  return safeToRepeat(method) ? "idempotent" : "unknown";
}

function deprecationWords({ deprecation }: MethodPolicy): string {
  if (deprecation === undefined) return "";
  const { sinceSeconds, sunsetAt, successor, documentation } = deprecation;
  const until = sunsetAt === undefined ? "" : `, and may be gone after ${day(sunsetAt)}`;
  const instead = successor === "" ? "" : ` Its successor is at \`${successor}\`.`;
  const more = documentation === "" ? "" : ` How to move on: ${documentation}`;
  return `**Deprecated** since ${day(sinceSeconds * 1_000)}${until}; answers say so in \`Deprecation\`, \`Sunset\` and \`Link\`.${instead}${more}`;
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function accessWords({ access }: MethodPolicy): string {
  if (access === undefined) return "";
  if (access.anonymous) return "**Access**: anyone.";
  const scopes = access.scopes.map((scope) => `\`${scope}\``).join(" and ");
  return scopes === "" ? "**Access**: any token that is accepted." : `**Access**: a token with ${scopes}.`;
}

function timeWords({ timeoutMs }: MethodPolicy): string {
  return timeoutMs === undefined ? "" : `**Timeout**: ${timeoutMs / 1_000} s, attempts and all; then 504.`;
}

function repeatWords(method: DescMethod): string {
  const { maxAttempts } = methodPolicy(method).retry;
  const named = requestIdField(method);
  if (!safeToRepeat(method) && named === undefined) return "";
  const tries = maxAttempts > 1 ? ` The gateway tries up to ${maxAttempts} times itself.` : "";
  const kind = withoutSideEffects(method) ? "It changes nothing" : "Twice is once";
  const when = safeToRepeat(method)
    ? `${kind}, so it is safe to send again.`
    : `It is safe to send again with the same \`${named?.jsonName}\`, which gets the first answer.`;
  return `**Repeats**: ${when}${tries}`;
}

function limitWords({ rateLimit }: MethodPolicy): string {
  if (rateLimit === undefined) return "";
  const { calls, periodMs, burst } = rateLimit;
  const atOnce = burst === calls ? "" : `, ${burst} at once after a pause`;
  return `**Rate limit**: ${calls} ${calls === 1 ? "call" : "calls"} in ${periodMs / 1_000} s for each caller${atOnce}; above it, 429.`;
}

function cacheWords({ cache }: MethodPolicy): string {
  if (cache === undefined) return "";
  return `**Cache**: an answer may be up to ${cache.maxAgeMs / 1_000} s old${cache.private ? ", kept for each caller apart" : ""}.`;
}

/** A span as Protobuf's JSON writes it: "1.5s". */
function inSeconds(spanMs: number): string {
  return `${spanMs / 1_000}s`;
}
