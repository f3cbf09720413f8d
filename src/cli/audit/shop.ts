import type { Snapshot } from "../databases/snapshot.ts";

/** The databases that have to agree, each as it was at the same instant. */
export interface Shop {
  readonly user: Snapshot;
  readonly order: Snapshot;
  readonly catalog: Snapshot;
}

/** A service that publishes, or one that follows it. */
export type Party = keyof Shop;

/** Who follows whom, and which of its events. */
export interface Following {
  readonly source: Party;
  readonly consumer: Party;
  readonly types: ReadonlySet<string>;
}

const orderEvents = new Set(
  ["OrderCreated", "OrderConfirmed", "OrderCancelled"].map((name) => `shop.order.v1.${name}`),
);
const stockEvents = new Set(
  ["StockReserved", "StockRejected", "StockReleased"].map((name) => `shop.catalog.v1.${name}`),
);

/** Everybody who follows somebody in the shop. */
export const followings: readonly Following[] = [
  { source: "order", consumer: "user", types: orderEvents },
  { source: "order", consumer: "catalog", types: orderEvents },
  { source: "catalog", consumer: "order", types: stockEvents },
  { source: "user", consumer: "order", types: new Set(["shop.user.v1.UserDeleted"]) },
];

/** What has been told and not been heard of yet, by subject, for each who hears. */
export class InFlight {
  readonly #subjects = new Map<string, Set<string>>();

  /** An event about the subject is on its way. */
  add(source: Party, consumer: Party, subject: string): void {
    const way = `${source} ${consumer}`;
    const subjects = this.#subjects.get(way) ?? new Set();
    this.#subjects.set(way, subjects.add(subject));
  }

  /** Whether the consumer has still to hear something about the subject. */
  has(source: Party, consumer: Party, subject: string): boolean {
    return this.#subjects.get(`${source} ${consumer}`)?.has(subject) ?? false;
  }
}
