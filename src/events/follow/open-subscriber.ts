import { type Followed, Watchable } from "../../base/watch.ts";
import type { WorkLeases } from "../shares/lease-entity.ts";
import { openWorkShares } from "../shares/work-shares.ts";
import { Subscriber, type SubscriberOptions } from "./subscriber.ts";

/** Whose log is followed, by which of the replicas. */
export interface SharedSubscriberOptions extends Omit<SubscriberOptions, "held"> {
  readonly leases: WorkLeases;
  /** Who this replica is: new for each process, up to 36 characters. */
  readonly holder: string;
}

/** A subscriber and its share of the slots. */
export interface OpenSubscriber extends AsyncDisposable {
  readonly held: Followed<ReadonlySet<number>>;
  /** The last position of the log, as far as it was told. */
  readonly endPosition: bigint;
}

/**
 * Follows a source together with the other replicas of the service: each reads its share of the slots. Closing hands this
 * one's share over once nothing is being taken in of it.
 */
export function openSubscriber({ leases, holder, ...options }: SharedSubscriberOptions): OpenSubscriber {
  const held = new Watchable<ReadonlySet<number>>(new Set());
  const subscriber = new Subscriber({ ...options, held });
  const { source, store, clock, random, log } = options;
  const tools = { ...(clock && { clock }), ...(random && { random }), ...(log && { log }) };
  const shares = openWorkShares({
    ...{ store, rows: leases, work: source, holder, letGo: subscriber.letGo },
    ...tools,
  });
  const leave = shares.held.subscribe((slots) => held.set(slots));
  return {
    held,
    get endPosition() {
      return subscriber.endPosition;
    },
    async [Symbol.asyncDispose]() {
      await shares[Symbol.asyncDispose]();
      leave();
      await subscriber[Symbol.asyncDispose]();
    },
  };
}
