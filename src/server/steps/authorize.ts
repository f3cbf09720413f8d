import type { Interceptor } from "@connectrpc/connect";
import { methodPolicy } from "../../call/policy.ts";
import { refusal } from "../../security/access.ts";
import { principalKey } from "../../security/principal.ts";

/** Lets in whom the contract's `access` lets in. Before validation: a stranger learns nothing about the request. */
export function authorize(): Interceptor {
  return (next) => async (req) => {
    const refused = refusal(methodPolicy(req.method).access, req.contextValues.get(principalKey));
    if (refused !== undefined) throw refused;
    return next(req);
  };
}
