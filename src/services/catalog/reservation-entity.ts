import { defineEntity, p } from "@mikro-orm/core";

/**
 * What became of the stock for an order. "released" is also what an order has that was cancelled before the catalog heard of
 * it: then there is one row without a product, so that nothing is reserved when its creation is heard of late.
 */
export type ReservationState = "reserved" | "sold" | "released" | "rejected";

/** What is kept of one product for one order. */
export const ReservationSchema = defineEntity({
  name: "Reservation",
  tableName: "reservations",
  properties: {
    orderId: p.string().length(36).primary(),
    /** The product; empty where nothing was kept: the order was rejected, or cancelled before. */
    sku: p.string().length(64).primary(),
    qty: p.integer(),
    state: p.string().length(16).$type<ReservationState>(),
    /** Why it was rejected, and which product was too little. */
    reason: p.string().length(200).default(""),
    shortOf: p.string().length(64).default(""),
    updatedAt: p.datetime(3),
  },
  indexes: [{ properties: ["sku", "state"] }],
});

/** A reservation as a row. */
export class Reservation extends ReservationSchema.class {}
ReservationSchema.setClass(Reservation);
