import type { DescMethod } from "@bufbuild/protobuf";
import { safeToRepeat } from "../call/method.ts";
import { type MethodPolicy, methodPolicy } from "../call/policy.ts";

/**
 * The rules of a method for clients that are not ours: they fill no `request_id`, so what is safe to repeat only with one
 * they send once, and that has all the call's time.
 */
export function policyForOthers(method: DescMethod): MethodPolicy {
  const policy = methodPolicy(method);
  if (safeToRepeat(method)) return policy;
  return { ...policy, hedge: undefined, retry: { ...policy.retry, maxAttempts: 1, perAttemptTimeoutMs: undefined } };
}
