import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { runInCall } from "../../call/context.ts";
import { type KnownEvent, payloadOf } from "./known-events.ts";

/**
 * Hands an event to its handlers, in the transaction of `em`, one after the other. What they publish or write belongs to
 * the trace of the call that caused the event.
 *
 * Each works with an EntityManager of its own: one for a whole batch would look through all that was loaded for it, at
 * each flush.
 */
export async function handleEvent(em: SqlEntityManager, known: KnownEvent, event: Event, now: number): Promise<void> {
  const message = payloadOf(known, event);
  const call = event.traceParent === "" ? {} : { traceparent: event.traceParent };
  for (const handler of known.handlers) {
    const own = em.fork({ keepTransactionContext: true });
    await runInCall(call, () => handler.handle(message as never, { em: own, event, now }));
    await own.flush();
  }
}
