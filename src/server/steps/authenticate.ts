import { Code, ConnectError } from "@connectrpc/connect";
import type { ServedCall } from "../../call/served-call.ts";
import { isClosed } from "../../security/access.ts";
import { type Authenticate, type Principal, principalKey } from "../../security/principal.ts";
import type { Step } from "./step.ts";

/**
 * Proves the caller, once, for the steps and the handler further in. One who shows something false is refused by every
 * method; a method that is open to all is answered, as for nobody, while there is no way to prove anybody.
 */
export function authenticate(prove: Authenticate | undefined): Step {
  if (prove === undefined) return () => {};
  return (call) => {
    const proven = prove(call);
    if (proven instanceof Promise) return noted(call, proven);
    return note(call, proven);
  };
}

async function noted(call: ServedCall, proving: Promise<Principal | undefined>): Promise<void> {
  try {
    note(call, await proving);
  } catch (reason) {
    const isAway = reason instanceof ConnectError && reason.code === Code.Unavailable;
    if (!isAway || isClosed(call.method)) throw reason;
  }
}

/** Nobody is what the call says already: values are made only for somebody. */
function note(call: ServedCall, principal: Principal | undefined): undefined {
  if (principal !== undefined) call.values.set(principalKey, principal);
}
