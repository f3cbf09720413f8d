import { Code, ConnectError } from "@connectrpc/connect";
import type { Store } from "../../store/orm.ts";
import type { OrderChanges } from "./order-changes.ts";
import type { Order } from "./order-entity.ts";
import { orderRepository } from "./order-repository.ts";

/** What following an order needs. */
export interface WatchOptions {
  readonly store: Store;
  readonly changes: OrderChanges;
  /** Only versions above this one are told. Default 0: the order as it is now, too. */
  readonly afterVersion?: number;
  /** Aborts when the caller has gone, its deadline has passed, or the server drains. */
  readonly signal: AbortSignal;
}

/**
 * The order as it is now, then as it is after each change, until it is cancelled or `signal` aborts. Changes that
 * follow closely may come as one. NOT_FOUND when there is no such order. One that is cancelled, and was seen so, is told
 * no more: the stream ends at once.
 */
export async function* watchOrder(id: string, options: WatchOptions): AsyncGenerator<Order, void, undefined> {
  const { store, changes, signal, afterVersion = 0 } = options;
  const nudge = new Nudge();
  // Subscribed before the first read: what changes in between is read again.
  const unsubscribe = changes.subscribe(id, nudge.push);
  signal.addEventListener("abort", nudge.push);
  try {
    for (let seen = afterVersion; !signal.aborted; await nudge.next()) {
      const order = await store.read((em) => orderRepository(em).get(id));
      if (order.version > seen) {
        seen = order.version;
        yield order;
      }
      if (order.status === "cancelled") return;
    }
    endOf(signal);
  } finally {
    signal.removeEventListener("abort", nudge.push);
    unsubscribe();
  }
}

/** A caller that has gone gets no answer; any other end is an error that says why. */
function endOf({ reason }: AbortSignal): void {
  if (reason instanceof ConnectError && reason.code !== Code.Canceled) throw reason;
}

/** Remembers a push until somebody waits for it. */
class Nudge {
  #next = Promise.withResolvers<void>();

  readonly push = (): void => this.#next.resolve();

  /** Resolves when there has been a push since the last one it resolved for. */
  async next(): Promise<void> {
    await this.#next.promise;
    this.#next = Promise.withResolvers();
  }
}
