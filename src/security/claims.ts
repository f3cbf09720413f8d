import type { JWTPayload } from "jose";
import type { Principal } from "./principal.ts";

/** Whom a verified token proves. */
export function principalOf(claims: JWTPayload & { readonly sub: string }): Principal {
  return { subject: claims.sub, scopes: scopesOf(claims), claims };
}

/**
 * What a token says its bearer may do: `scope` with spaces between (RFC 8693 §4.2), `scp` or `scopes` as a list. Every
 * one of them counts, and each may be written either way, since providers do not agree.
 */
function scopesOf({ scope, scp, scopes }: JWTPayload): ReadonlySet<string> {
  return new Set([scope, scp, scopes].flatMap(listed));
}

function listed(value: unknown): readonly string[] {
  if (typeof value === "string") return value.split(" ").filter((word) => word !== "");
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
}
