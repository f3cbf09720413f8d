import { randomUUID } from "node:crypto";
import type { Message } from "@bufbuild/protobuf";
import { v4 } from "uuid";
import { type Random, systemRandom } from "../../base/random.ts";
import { requestIdField, withRequestId } from "../../call/request-id.ts";
import type { Step } from "./step.ts";

/**
 * Names the request where its contract has a field for it and its caller has left it empty, so that every attempt, retry or
 * hedge, is the same request to the service and gets the first answer.
 *
 * Outside of the attempts, which all carry one id; before `validate`, as a contract may want the field filled.
 */
export function nameRequest(random: Random): Step {
  const newId = requestIds(random);
  return (next) => (call) => {
    const field = requestIdField(call.method);
    if (field !== undefined) call.message = withRequestId(call.message as Message, field, newId);
    return next(call);
  };
}

/** What makes ids: with the machine's own dice nobody can foretell them, as an id gets the answer that was given to it. */
function requestIds(random: Random): () => string {
  if (random === systemRandom) return randomUUID;
  return () => v4({ random: Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256)) });
}
