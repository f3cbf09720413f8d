import { methodPolicy } from "../../call/policy.ts";
import { refusal } from "../../security/access.ts";
import { principalKey } from "../../security/principal.ts";
import type { Step } from "./step.ts";

/** Lets in whom the contract's `access` lets in. Before validation: a stranger learns nothing about the request. */
export function authorize(): Step {
  return (call) => {
    const { access } = methodPolicy(call.method);
    if (access === undefined) return;
    const refused = refusal(access, call.values.get(principalKey));
    if (refused !== undefined) throw refused;
  };
}
