import type { Clock } from "../../base/clock.ts";
import type { Store } from "../../store/orm.ts";
import type { EventHooks, EventTransport } from "../hooks.ts";
import type { LogHead } from "../log/log-head.ts";
import type { EventRows } from "../outbox/event-entity.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { givePositions, type Positioned } from "../outbox/positions.ts";
import type { PublishSome } from "./relay.ts";

const maxEvents = 1_000;

/** What publishing needs. */
export interface PublishOptions {
  readonly store: Store;
  readonly rows: EventRows;
  readonly outbox: Outbox;
  readonly head: LogHead;
  readonly clock: Clock;
  readonly hooks: EventHooks;
}

/** Publishes where there is no broker: an event that has a position is in the log, for all who follow it. Any replica may do it. */
export function publishToLog({ store, rows, ...options }: PublishOptions): PublishSome {
  return async () => {
    const published = await store.unit((em) => givePositions(em, rows, { limit: maxEvents }));
    tellPublished(published, { ...options, transport: "stream" });
    return published.length === maxEvents;
  };
}

/** Tells those who follow the log, and those who measure. */
export function tellPublished(
  published: readonly Positioned[],
  options: Pick<PublishOptions, "outbox" | "head" | "clock" | "hooks"> & { readonly transport: EventTransport },
): void {
  const { outbox, head, clock, hooks, transport } = options;
  const last = published.at(-1);
  if (last === undefined) return;
  head.tell(last.position);
  outbox.published(published.length);
  const now = clock.wall();
  for (const { type, timeAt } of published) {
    hooks.published?.({ type, transport, delayMs: Math.max(0, now - timeAt) });
  }
}
