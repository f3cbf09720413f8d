import { Code, type ConnectError } from "@connectrpc/connect";
import { errorWithInfo, unavailable } from "../call/errors.ts";
import { headers } from "../call/headers.ts";

/** Why a caller is not proven, for programs: the `reason` of the error's ErrorInfo. */
export type TokenProblem =
  | "CREDENTIALS_MISSING"
  | "TOKEN_EXPIRED"
  | "TOKEN_NOT_YET_VALID"
  | "TOKEN_WRONG_ISSUER"
  | "TOKEN_WRONG_AUDIENCE"
  | "TOKEN_INVALID";

/** What a challenge says beside its scheme (RFC 6750 §3). */
interface Challenge {
  readonly error?: "invalid_token" | "insufficient_scope";
  readonly error_description?: string;
  readonly scope?: string;
}

/** The caller shows nothing where something is asked for; `scopes` are those that its token will need. */
export function credentialsMissing(scopes: readonly string[]): ConnectError {
  const scope = scopes.join(" ");
  const which = scope === "" ? "" : ` with the scope ${scopes.join(", ")}`;
  const message = `this method asks for a bearer token${which}: send it as "authorization: Bearer <token>"`;
  const info = { reason: "CREDENTIALS_MISSING" satisfies TokenProblem, domain: "heddle" };
  return challenged(errorWithInfo(Code.Unauthenticated, message, info), scope === "" ? {} : { scope });
}

/** The caller is proven, and lacks the scopes. */
export function scopeMissing(subject: string, scopes: readonly string[]): ConnectError {
  const info = { reason: "SCOPE_MISSING", domain: "heddle", metadata: { scopes: scopes.join(" ") } };
  const error = errorWithInfo(Code.PermissionDenied, `${subject} lacks the scope ${scopes.join(", ")}`, info);
  return challenged(error, { error: "insufficient_scope", scope: scopes.join(" ") });
}

/** The token is not taken. The message says why and what to do, and nothing of what would have been taken. */
export function tokenRefused(reason: TokenProblem, message: string): ConnectError {
  const error = errorWithInfo(Code.Unauthenticated, message, { reason, domain: "heddle" });
  return challenged(error, { error: "invalid_token", error_description: message });
}

/** The keys cannot be had, so nobody knows whether the token is right: that is not the caller's fault. */
export function keysUnavailable(retryAfterMs: number): ConnectError {
  const message = "the token cannot be checked: the keys for it cannot be had at the moment";
  return unavailable(message, { reason: "TOKEN_KEYS_UNAVAILABLE", domain: "heddle", retryAfterMs });
}

/** Tells HTTP clients the scheme, as RFC 9110 §11.6.1 has it for 401, and the problem, as RFC 6750 §3 has it. */
function challenged(error: ConnectError, challenge: Challenge): ConnectError {
  const told = Object.entries(challenge).map(([name, value]) => `, ${name}="${plain(String(value))}"`);
  error.metadata.set(headers.challenge, `Bearer realm="heddle"${told.join("")}`);
  return error;
}

/** Only what RFC 6750 lets stand between quotes. */
function plain(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "?");
}
