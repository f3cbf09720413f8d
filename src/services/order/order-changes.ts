import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { runDetached } from "../../call/context.ts";
import type { Store } from "../../store/orm.ts";
import { orderRepository } from "./order-repository.ts";

/** How often to look for what another replica has changed; our own changes are told at once. */
const pollMs = 500;

/** Where changes come from that this process has not made. */
export interface OrderChangesOptions {
  readonly store: Store;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Those who follow one order, and the version they were last told of. */
interface Followed {
  version: number | undefined;
  readonly followers: Set<() => void>;
}

/**
 * Tells those who follow an order that it has changed: at once when this process changed it, within half a second
 * when another replica did. However many follow, there is one query for all of them, and none when nobody does.
 */
export class OrderChanges {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #followed = new Map<string, Followed>();
  #timer: Timer | undefined;
  #polling = false;

  constructor({ store, clock = systemClock, log = silentLogger }: OrderChangesOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** Says that an order has changed, after its unit was written. */
  publish(id: string): void {
    for (const follower of this.#followed.get(id)?.followers ?? []) follower();
  }

  /** Calls `follower` after each change of the order, until the function returned is called. */
  subscribe(id: string, follower: () => void): () => void {
    const followed = this.#followed.get(id) ?? { version: undefined, followers: new Set() };
    followed.followers.add(follower);
    this.#followed.set(id, followed);
    this.#schedule();
    return () => this.#unsubscribe(id, followed, follower);
  }

  /** How many orders are followed. */
  get size(): number {
    return this.#followed.size;
  }

  #unsubscribe(id: string, followed: Followed, follower: () => void): void {
    followed.followers.delete(follower);
    if (followed.followers.size === 0 && this.#followed.get(id) === followed) this.#followed.delete(id);
    if (this.#followed.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The poll belongs to no call, though one of them starts it. */
  #schedule(): void {
    if (this.#followed.size === 0 || this.#polling) return;
    this.#timer ??= runDetached(() => this.#clock.setTimer(pollMs, () => void this.#poll()));
  }

  async #poll(): Promise<void> {
    this.#timer = undefined;
    this.#polling = true;
    try {
      const ids = [...this.#followed.keys()];
      const rows = await this.#store.read((em) => orderRepository(em).versions(ids));
      for (const { id, version } of rows) this.#see(id, version);
    } catch (error) {
      this.#log.warn("changes by other replicas cannot be seen for the moment", { error });
    }
    this.#polling = false;
    this.#schedule();
  }

  /** A version not seen before is told, the first one too: it may be later than what its followers have read. */
  #see(id: string, version: number): void {
    const followed = this.#followed.get(id);
    if (followed === undefined || followed.version === version) return;
    followed.version = version;
    this.publish(id);
  }
}
