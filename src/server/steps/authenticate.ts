import type { Interceptor } from "@connectrpc/connect";
import { type Authenticate, principalKey } from "../../security/principal.ts";

/** Proves the caller, once, for the steps and the handler further in. */
export function authenticate(prove: Authenticate | undefined): Interceptor {
  return (next) => async (req) => {
    if (prove !== undefined) req.contextValues.set(principalKey, await prove(req.header));
    return next(req);
  };
}
