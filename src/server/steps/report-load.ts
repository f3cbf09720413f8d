import { headers } from "../../call/headers.ts";
import type { ServerLoad } from "../load.ts";
import type { Step } from "./step.ts";

/**
 * Tells the server's load behind the answer to callers that ask for it: a balancer that weighs by it does, and asks for
 * it on as many calls as it likes; nobody else pays for the bytes.
 *
 * Last, so that only who was let in hears it.
 */
export function reportLoad(load: ServerLoad): Step {
  return (call) => {
    if (call.requestField(headers.loadReport) === "1") call.trailerFields = load.fields();
  };
}
