import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { runInCall } from "../../call/context.ts";
import type { Breather } from "./breather.ts";
import { type KnownEvent, payloadOf } from "./known-events.ts";

/** So many subjects are handled side by side at most. */
const mostAtOnce = 64;

/** An event, and what is done about it. */
export interface Handled {
  readonly event: Event;
  readonly known: KnownEvent;
}

/**
 * Hands events to their handlers, in the transaction of `em`: those of one subject in their order, those of several subjects side
 * by side where all their handlers are independent.
 */
export async function handleEvents(em: SqlEntityManager, events: readonly Handled[], options: HandlingOptions) {
  const { now, breather, isServer } = options;
  for (let from = 0; from < events.length; ) {
    const together = isServer ? independentFrom(events, from) : [];
    from += Math.max(1, together.length);
    await breather.pause();
    if (together.length > 1) await sideBySide(em, together, now);
    else await handleOne(em, events[from - 1], now);
  }
}

/** How events are handed on. */
export interface HandlingOptions {
  /** Wall time. */
  readonly now: number;
  readonly breather: Breather;
  /** Whether the database is a server: where it is a file, nothing is won by doing two things at once. */
  readonly isServer: boolean;
}

async function handleOne(em: SqlEntityManager, handled: Handled | undefined, now: number): Promise<void> {
  if (handled !== undefined) await handleEvent(em, handled.known, handled.event, now);
}

/** The events from there on that are independent of each other, up to one that is not, or until it is many. */
function independentFrom(events: readonly Handled[], from: number): readonly Handled[] {
  const after = events.slice(from, from + mostAtOnce);
  const end = after.findIndex(({ known }) => !known.handlers.every(({ independent }) => independent));
  return end < 0 ? after : after.slice(0, end);
}

/** All are over when this is, also when one fails: the transaction is the caller's again. */
async function sideBySide(em: SqlEntityManager, events: readonly Handled[], now: number): Promise<void> {
  const bySubject = Map.groupBy(events, ({ event }) => event.subject);
  const one = async (own: readonly Handled[]) => {
    for (const { known, event } of own) await handleEvent(em, known, event, now);
  };
  const done = await Promise.allSettled([...bySubject.values()].map(one));
  for (const end of done) if (end.status === "rejected") throw end.reason;
}

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
    if (isTouched(own)) await own.flush();
  }
}

/** Whether there may be something to flush: finding out that there is not is much of the work for a handler that asks by SQL. */
function isTouched(em: SqlEntityManager): boolean {
  const unit = em.getUnitOfWork();
  return unit.getIdentityMap().values().length + unit.getPersistStack().size + unit.getRemoveStack().size > 0;
}
