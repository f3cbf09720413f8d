import { Code, type ConnectError } from "@connectrpc/connect";
import { errorWithInfo } from "../call/errors.ts";
import type { MethodPolicy } from "../call/policy.ts";
import type { Principal } from "./principal.ts";

/** Why the caller may not, or nothing if it may. Decides by the contract's `access` alone. */
export function refusal(access: MethodPolicy["access"], principal: Principal | undefined): ConnectError | undefined {
  if (access === undefined || access.anonymous) return undefined;
  if (principal === undefined) {
    const info = { reason: "CREDENTIALS_MISSING", domain: "heddle" };
    return errorWithInfo(Code.Unauthenticated, "this method asks for a bearer token", info);
  }
  const missing = access.scopes.filter((scope) => !principal.scopes.has(scope));
  if (missing.length === 0) return undefined;
  const info = { reason: "SCOPE_MISSING", domain: "heddle", metadata: { scopes: missing.join(" ") } };
  return errorWithInfo(Code.PermissionDenied, `${principal.subject} lacks the scope ${missing.join(", ")}`, info);
}
