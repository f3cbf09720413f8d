import { type DescMethod, getOption } from "@bufbuild/protobuf";
import { method as methodOption, service as serviceOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";
import { methodPolicy } from "../../call/policy.ts";
import type { TimeoutOf } from "../../server/time-limit.ts";

/** What the contract says of a call's time; where it is silent, `upstreamTimeoutMs` for unary calls and no end for streams. */
export function timeoutsWithDefault(upstreamTimeoutMs: number): TimeoutOf {
  const known = new WeakMap<DescMethod, { readonly timeoutMs: number | undefined }>();
  return (method) => {
    const found = known.get(method) ?? { timeoutMs: timeoutOf(method, upstreamTimeoutMs) };
    known.set(method, found);
    return found.timeoutMs;
  };
}

function timeoutOf(method: DescMethod, upstreamTimeoutMs: number): number | undefined {
  const ofService = getOption(method.parent, serviceOption).defaults?.timeout;
  const isStated = (getOption(method, methodOption).timeout ?? ofService) !== undefined;
  return isStated || method.methodKind !== "unary" ? methodPolicy(method).timeoutMs : upstreamTimeoutMs;
}
