import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { Store } from "../../store/orm.ts";
import type { OrderChanges } from "./order-changes.ts";
import type { Order } from "./order-entity.ts";
import { orderRepository } from "./order-repository.ts";

/** How often to look for what another replica has changed; our own changes are told at once. */
const pollMs = 500;

/** What following an order needs. */
export interface WatchOptions {
  readonly store: Store;
  readonly changes: OrderChanges;
  readonly clock: Clock;
  /** Aborts when the caller has gone, its deadline has passed, or the server drains. */
  readonly signal: AbortSignal;
}

/**
 * The order as it is now, then as it is after each change, until it is cancelled or `signal` aborts. Changes that
 * follow closely may come as one. NOT_FOUND when there is no such order.
 */
export async function* watchOrder(id: string, options: WatchOptions): AsyncGenerator<Order, void, undefined> {
  const { store, changes, clock, signal } = options;
  // Subscribed before the first read: what changes in between is read again.
  const nudge = new Nudge();
  const unsubscribe = changes.subscribe(id, () => nudge.push());
  try {
    for (let seen = 0; !signal.aborted; await nudge.wait(clock, signal)) {
      const order = await store.read((em) => orderRepository(em).get(id));
      if (order.version === seen) continue;
      seen = order.version;
      yield order;
      if (order.status === "cancelled") return;
    }
    endOf(signal);
  } finally {
    unsubscribe();
  }
}

/** A caller that has gone gets no answer; any other end is an error that says why. */
function endOf({ reason }: AbortSignal): void {
  if (reason instanceof ConnectError && reason.code !== Code.Canceled) throw reason;
}

/** Remembers one push until somebody waits for it. */
class Nudge {
  #pushed = false;
  #wake: AbortController | undefined;

  push(): void {
    this.#pushed = true;
    this.#wake?.abort();
  }

  /** Resolves at a push since the last wait, at the latest after `pollMs`, and at once when `signal` aborts. */
  async wait(clock: Clock, signal: AbortSignal): Promise<void> {
    if (!this.#pushed) {
      this.#wake = new AbortController();
      await clock.sleep(pollMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
    }
    this.#pushed = false;
  }
}
