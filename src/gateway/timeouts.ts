import { type DescMethod, getOption } from "@bufbuild/protobuf";
import { method as methodOption, service as serviceOption } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { methodPolicy } from "../call/policy.ts";
import type { TimeoutOf } from "../server/time-limit.ts";

/** What the contract says of a call's time; where it is silent, `upstreamTimeoutMs` for unary calls and no end for streams. */
export function timeoutsWithDefault(upstreamTimeoutMs: number): TimeoutOf {
  return (method) => {
    if (statesTimeout(method) || method.methodKind !== "unary") return methodPolicy(method).timeoutMs;
    return upstreamTimeoutMs;
  };
}

function statesTimeout(method: DescMethod): boolean {
  const ofService = getOption(method.parent, serviceOption).defaults?.timeout;
  return (getOption(method, methodOption).timeout ?? ofService) !== undefined;
}
