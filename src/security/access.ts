import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { type MethodPolicy, methodPolicy } from "../call/policy.ts";
import type { Principal } from "./principal.ts";
import { credentialsMissing, scopeMissing } from "./refusals.ts";

/** Why the caller may not, or nothing if it may. Decides by the contract's `access` alone. */
export function refusal(access: MethodPolicy["access"], principal: Principal | undefined): ConnectError | undefined {
  if (access === undefined || access.anonymous) return undefined;
  if (principal === undefined) return credentialsMissing(access.scopes);
  const missing = access.scopes.filter((scope) => !principal.scopes.has(scope));
  return missing.length === 0 ? undefined : scopeMissing(principal.subject, missing);
}

/** Whether the contract lets only proven callers call the method. */
export function isClosed(method: DescMethod): boolean {
  return methodPolicy(method).access?.anonymous === false;
}
