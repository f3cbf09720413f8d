import type { HandlerContext } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { Authenticate } from "../../security/principal.ts";

/** Whose key it is; `undefined` where the caller is not who it says it is. */
export type CallerOf = (request: UniversalServerRequest) => Promise<string | undefined>;

/**
 * Tells callers apart: by the issuer and the subject of what proves them, so that a key outlives a token, or where nothing
 * proves them, by what they show: a service further in may know them by that. All who show nothing are one.
 */
export function callerOf(prove: Authenticate | undefined): CallerOf {
  if (prove === undefined) return async ({ header }) => shown(header);
  return async ({ header: requestHeader, url, method: requestMethod, signal }) => {
    try {
      const principal = await prove({ requestHeader, url, requestMethod, signal } as HandlerContext);
      return principal === undefined
        ? shown(requestHeader)
        : `is ${JSON.stringify([principal.claims?.iss, principal.subject])}`;
    } catch {
      return undefined; // the request is passed on, and refused where every other one is
    }
  };
}

function shown(header: Headers): string {
  return `shows ${header.get("authorization") ?? ""}`;
}
