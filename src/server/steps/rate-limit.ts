import { createHash } from "node:crypto";
import type { ConnectError } from "@connectrpc/connect";
import { resourceExhausted } from "../../call/errors.ts";
import { methodName } from "../../call/method.ts";
import { methodPolicy } from "../../call/policy.ts";
import type { ServedCall } from "../../call/served-call.ts";
import { principalKey } from "../../security/principal.ts";
import { subscriberOf } from "../../wire/addresses.ts";
import type { Buckets } from "../policy/local-buckets.ts";
import { type Draw, type RateLimit, tokenMs, tokensLeft } from "../policy/token-bucket.ts";
import type { Step } from "./step.ts";

/**
 * Refuses calls of a caller that calls a method more often than the contract's `rate_limit` lets it. The caller is who
 * was proven, wherever it calls from; one who proved nothing is the address it calls from, of IPv6 the first 64 bits.
 *
 * Behind `authenticate` and `authorize`, for it has to know the caller, and what they refuse costs the caller no token.
 */
export function rateLimit(buckets: Buckets): Step {
  return (call) => {
    const limit = methodPolicy(call.method).rateLimit;
    if (limit === undefined) return;
    const drawn = buckets.draw(keyOf(call), limit);
    if (!(drawn instanceof Promise)) return settle(call, limit, drawn);
    return drawn.then((later) => settle(call, limit, later));
  };
}

function settle(call: ServedCall, limit: RateLimit, drawn: Draw): undefined {
  if (drawn.waitMs > 0) throw tooOften(call, limit, drawn);
  tellLimit(call.responseHeader, call, limit, drawn);
}

function keyOf(call: ServedCall): string {
  const key = `${methodName(call.method)} ${callerOf(call)}`;
  return key.length <= maxKeyLength ? key : createHash("sha256").update(key).digest("base64url");
}

/** What a token says of its subject may be long, and a bucket is to stay small. */
const maxKeyLength = 200;

function callerOf(call: ServedCall): string {
  const principal = call.values.get(principalKey);
  if (principal === undefined) return `address ${subscriberOf(call.peer ?? "unknown")}`;
  return `principal ${JSON.stringify([principal.claims?.iss, principal.subject])}`;
}

const made = new WeakSet<object>();

/** Whether a call ended because its caller calls too often. */
export function isRateLimited(reason: unknown): boolean {
  return typeof reason === "object" && reason !== null && made.has(reason);
}

function tooOften(call: ServedCall, limit: RateLimit, drawn: Draw): ConnectError {
  const { calls, periodMs, burst } = limit;
  const name = methodName(call.method);
  const whose = call.values.get(principalKey) === undefined ? "your address" : "you";
  const waitMs = Math.ceil(drawn.waitMs);
  const error = resourceExhausted(
    `${whose} may call ${name} ${calls} times in ${spell(periodMs)}, ${burst} at once: ask again in ${waitMs} ms`,
    {
      reason: "RATE_LIMITED",
      domain: "heddle",
      metadata: { method: name, limit: "rate_limit", calls: `${calls}`, period: spell(periodMs), burst: `${burst}` },
      retryAfterMs: waitMs,
    },
  );
  error.metadata.set("retry-after", String(Math.ceil(waitMs / 1_000)));
  tellLimit(error.metadata, call, limit, drawn);
  made.add(error);
  return error;
}

function spell(ms: number): string {
  return `${ms / 1_000}s`;
}

/**
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ knows no buckets: the quota is the burst, and the
 * window is the time in which an empty bucket fills.
 */
function tellLimit(header: Headers, { method }: ServedCall, limit: RateLimit, { waitMs, fullInMs }: Draw): void {
  const { name } = method;
  const windowSeconds = Math.ceil((limit.burst * tokenMs(limit)) / 1_000);
  const resetSeconds = Math.ceil((waitMs || fullInMs) / 1_000);
  header.set("ratelimit-policy", `"${name}";q=${limit.burst};w=${windowSeconds}`);
  header.set("ratelimit", `"${name}";r=${tokensLeft(limit, fullInMs)};t=${resetSeconds}`);
}
