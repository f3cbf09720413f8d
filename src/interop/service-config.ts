import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { type MethodConfig, type ServiceConfig, status } from "@grpc/grpc-js";
import { assertPolicies, type MethodPolicy } from "../call/policy.ts";
import { policyForOthers } from "./repeats.ts";

/** grpc-js takes no more sends than this, whatever a config says (gRFC A6). */
const maxAttemptsLimit = 5;

/**
 * The mesh's budget (a fifth of the calls, 30 repeats in 10 s at any rate) as a bucket of tokens (gRFC A6): a failure
 * takes a token, a success gives a fifth of one, and repeats stop below half: after 30 failures from a full bucket.
 */
const retryThrottling = { maxTokens: 60, tokenRatio: 0.2 };

/** All that is said about a service whose contract is not known here. */
export const bareConfig: ServiceConfig = { loadBalancingConfig: [{ round_robin: {} }], methodConfig: [] };

/**
 * The contract's policies as a gRPC service config: timeouts, repeats, hedges and their budget, round robin.
 *
 * Left out is what grpc-js has no word for: the timeout of one attempt, a hedge's delay by percentile (such a method is
 * repeated instead), breakers. Throws PolicyError if the contract contradicts itself.
 * https://github.com/grpc/grpc-proto/blob/master/grpc/service_config/service_config.proto
 */
export function serviceConfigFor(service: DescService): ServiceConfig {
  const config = configOf(service, (policy) => ({
    ...timeout(policy.timeoutMs),
    ...(hedging(policy) ?? retrying(policy)),
  }));
  return { ...config, retryThrottling };
}

/**
 * The same for a client that repeats calls itself: every call of the channel is one attempt, and only what provably
 * was not processed is sent again below it.
 */
export function attemptConfigFor(service: DescService): ServiceConfig {
  return configOf(service, ({ retry, timeoutMs }) => timeout(retry.perAttemptTimeoutMs ?? timeoutMs));
}

/**
 * The codes worth another attempt. RESOURCE_EXHAUSTED is only with pushback, which no config can say: it is left out.
 * DEADLINE_EXCEEDED is an attempt's, never the call's: it stays only where attempts have a timeout of their own.
 */
export function retryableCodes({ retry }: MethodPolicy, attemptTimeouts: boolean): Code[] {
  const left = [Code.ResourceExhausted, ...(attemptTimeouts ? [] : [Code.DeadlineExceeded])];
  return [...retry.codes].filter((code) => !left.includes(code));
}

function configOf(service: DescService, rules: (policy: MethodPolicy) => Partial<MethodConfig>): ServiceConfig {
  assertPolicies(service);
  const methodConfig = service.methods
    .map((method) => ({ name: [nameOf(method)], ...rules(policyForOthers(method)) }))
    .filter((config) => Object.keys(config).length > 1);
  return { ...bareConfig, methodConfig };
}

function nameOf(method: DescMethod) {
  return { service: method.parent.typeName, method: method.name };
}

/** As an object: grpc-js 1.14 reads the text "0.4s" as four nanoseconds. */
function timeout(ms: number | undefined): Pick<MethodConfig, "timeout"> {
  if (ms === undefined) return {};
  return { timeout: { seconds: Math.trunc(ms / 1_000), nanos: Math.round((ms % 1_000) * 1e6) } };
}

function retrying(policy: MethodPolicy): Pick<MethodConfig, "retryPolicy"> {
  const { maxAttempts, initialBackoffMs, maxBackoffMs } = policy.retry;
  const codes = retryableCodes(policy, false);
  if (maxAttempts < 2 || codes.length === 0) return {};
  return {
    retryPolicy: {
      maxAttempts: Math.min(maxAttempts, maxAttemptsLimit),
      initialBackoff: span(initialBackoffMs),
      maxBackoff: span(maxBackoffMs),
      backoffMultiplier: 2,
      retryableStatusCodes: codes.map(codeName),
    },
  };
}

/** gRPC allows either a hedging or a retry policy; a hedge that fails with one of the codes is followed at once. */
function hedging(policy: MethodPolicy): Pick<MethodConfig, "hedgingPolicy"> | undefined {
  if (policy.hedge === undefined || !("delayMs" in policy.hedge.after)) return undefined;
  return {
    hedgingPolicy: {
      maxAttempts: Math.min(1 + policy.hedge.maxExtra, maxAttemptsLimit),
      hedgingDelay: span(policy.hedge.after.delayMs),
      nonFatalStatusCodes: retryableCodes(policy, false).map(codeName),
    },
  };
}

/** "UNAVAILABLE": Connect's codes are gRPC's, only their names are written otherwise. */
function codeName(code: Code): string {
  return status[code as number] ?? String(code);
}

/** A span as protojson writes it: "0.025s". */
function span(ms: number): string {
  return `${(ms / 1_000).toFixed(9).replace(/\.?0+$/, "")}s`;
}
