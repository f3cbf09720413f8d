import { defineEntity, p } from "@mikro-orm/core";
import { serviceEventRows } from "../../events/rows.ts";
import { requestIds } from "../../store/request-ids.ts";
import { ReservationSchema } from "./reservation-entity.ts";

const ProductSchema = defineEntity({
  name: "Product",
  tableName: "products",
  properties: {
    sku: p.string().length(64).primary(),
    name: p.string().length(200),
    description: p.text(),
    currency: p.character().length(3),
    priceUnits: p.bigint("bigint"),
    priceNanos: p.integer(),
    /** How many are free: neither reserved nor sold. */
    stock: p.integer(),
    /** How many there have ever been: free, reserved and sold together, always. */
    received: p.integer().default(0),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
    version: p.integer().version(),
  },
});

/** A product as a row. */
export class Product extends ProductSchema.class {}
ProductSchema.setClass(Product);

/** Which requests created which products. */
export const productRequests = requestIds("catalog");

/** The events that the catalog publishes, and those that it has taken in. */
export const catalogEventRows = serviceEventRows("catalog");

/** The catalog's rows, as `openStore` takes them. */
export const catalogRows = {
  name: "catalog",
  entities: [ProductSchema, ReservationSchema, productRequests, ...catalogEventRows.entities],
  migrationsDir: `${import.meta.dirname}/migrations`,
};
