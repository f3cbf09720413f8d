import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import type { Store } from "../../store/orm.ts";
import type { TakeIn } from "../delivery.ts";
import type { Subscription } from "../handler.ts";
import type { EventHooks } from "../hooks.ts";
import type { ServiceEventRows } from "../rows.ts";
import { Inbox } from "./inbox.ts";
import type { InboxParts } from "./inbox-parts.ts";
import { KnownEvents } from "./known-events.ts";
import { Retries } from "./retries.ts";
import { defaultRetryLimits, type RetryLimits } from "./retry-limits.ts";

/** Whose events are taken in, and where what is known of them lies. */
export interface InboxOptions {
  readonly store: Store;
  readonly rows: Pick<ServiceEventRows, "inbox" | "parked">;
  readonly subscriptions: readonly Subscription[];
  /** How often events that fail are tried, and when. Default five times within two seconds. */
  readonly retries?: Partial<RetryLimits>;
  readonly hooks?: EventHooks;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Where the events of others come in, whatever way they travel. Closing it ends the tries. */
export interface OpenInbox extends AsyncDisposable {
  readonly takeIn: TakeIn;
  /** What is taken in, for those who ask for it: the types of a source. */
  readonly known: KnownEvents;
  /** For `subscriptionService`. */
  readonly parts: InboxParts;
  /** Has what is parked looked at now. */
  readonly wake: () => void;
}

/** Opens the inbox of a service, and goes on trying what was parked. */
export function openInbox(options: InboxOptions): OpenInbox {
  const { store, rows, subscriptions, retries, hooks = {}, clock = systemClock, log = silentLogger } = options;
  const known = new KnownEvents(subscriptions);
  const limits = { ...defaultRetryLimits, ...retries };
  const parts: InboxParts = { store, rows, known, limits, hooks, clock, log };
  const again = new Retries(parts);
  const { takeIn } = new Inbox(parts, again.wake);
  return { takeIn, known, parts, wake: again.wake, [Symbol.asyncDispose]: () => again[Symbol.asyncDispose]() };
}
