import { methodPolicy } from "../../call/policy.ts";
import type { Step } from "./step.ts";

/**
 * Tells in the head of the answer that the method is deprecated, since when, until when, and where its successor is, so
 * that callers hear of it who never read the contract. Early: those who are refused hear it, too.
 */
export function deprecation(): Step {
  return (call) => {
    const { deprecation: told } = methodPolicy(call.method);
    if (told !== undefined) for (const [name, value] of told.fields) call.responseHeader.set(name, value);
  };
}
