import { type Authenticate, principalKey } from "../../security/principal.ts";
import type { Step } from "./step.ts";

/** Proves the caller, once, for the steps and the handler further in. */
export function authenticate(prove: Authenticate | undefined): Step {
  if (prove === undefined) return () => {};
  return async (call) => {
    call.values.set(principalKey, await prove(call));
  };
}
