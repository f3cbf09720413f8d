import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Store } from "../../store/orm.ts";
import type { EventHooks } from "../hooks.ts";
import type { ServiceEventRows } from "../rows.ts";
import type { KnownEvents } from "./known-events.ts";
import type { RetryLimits } from "./retry-limits.ts";

/** What those who take events in have in common. */
export interface InboxParts {
  readonly store: Store;
  readonly rows: Pick<ServiceEventRows, "inbox" | "parked">;
  readonly known: KnownEvents;
  readonly limits: RetryLimits;
  readonly hooks: EventHooks;
  readonly clock: Clock;
  readonly log: Logger;
}
