import { LockMode, raw } from "@mikro-orm/core";
import { type SqlEntityManager, SqlitePlatform } from "@mikro-orm/sql";
import { Product } from "./product-entity.ts";
import { Reservation } from "./reservation-entity.ts";

/** So many of a product. */
export interface Wanted {
  readonly sku: string;
  readonly qty: number;
}

/** Why an order cannot have what it wants. */
export interface Shortage {
  /** The first product, by SKU, that there is too little of, or none. */
  readonly sku: string;
  readonly reason: string;
}

const lockMode = LockMode.PESSIMISTIC_WRITE;
/** The number of the catalog's stock among PostgreSQL's advisory locks: any, but its own. */
const stockLock = 507_101;
const locked = new WeakSet<object>();

/** Stock and what of it is kept for orders, as one unit of work sees it: free + reserved + sold is what was received. */
export function reservations(em: SqlEntityManager, now: number) {
  const updatedAt = new Date(now);
  return {
    /** What is known of an order's stock, kept from others until the unit ends; nothing if it was never heard of. */
    of(orderId: string): Promise<Reservation[]> {
      return em.find(Reservation, { orderId }, { lockMode, orderBy: { sku: "asc" } });
    },

    /** Keeps all of it for an order, or nothing: then it says what there is too little of, and remembers that. */
    async reserve(orderId: string, wanted: readonly Wanted[]): Promise<Shortage | undefined> {
      const products = await lockProducts(em, wanted);
      const short = shortage(products, wanted);
      if (short) {
        const { reason, sku: shortOf } = short;
        await em.insert(Reservation, { orderId, sku: "", qty: 0, state: "rejected", reason, shortOf, updatedAt });
        return short;
      }
      for (const { sku, qty } of wanted) await addFree(em, { sku, qty: -qty, updatedAt });
      const row = { orderId, state: "reserved", reason: "", shortOf: "", updatedAt } as const;
      await em.insertMany(
        Reservation,
        wanted.map(({ sku, qty }) => ({ ...row, sku, qty })),
      );
      return undefined;
    },

    /** What was reserved for an order is sold. Resolves with whether there was something. */
    async sell(orderId: string): Promise<boolean> {
      const sold = { state: "sold", updatedAt } as const;
      return (await em.nativeUpdate(Reservation, { orderId, state: "reserved" }, sold)) > 0;
    },

    /** What was reserved for an order, or sold, is free again; of a product that is gone, it is no more. */
    async release(orderId: string, rows: readonly Reservation[]): Promise<void> {
      if (rows.length === 0) {
        const nothing = { orderId, sku: "", qty: 0, state: "released", reason: "", shortOf: "", updatedAt } as const;
        await em.insert(Reservation, nothing);
        return;
      }
      const kept = rows.filter(({ state }) => state === "reserved" || state === "sold");
      if (kept.length === 0) return;
      await lockProducts(em, kept);
      for (const { sku, qty } of kept) await addFree(em, { sku, qty, updatedAt });
      await em.nativeUpdate(
        Reservation,
        { orderId, state: { $in: ["reserved", "sold"] } },
        { state: "released", updatedAt },
      );
    },
  };
}

/** Whether some of a product is reserved for an order that is being placed. */
export async function isReserved(em: SqlEntityManager, sku: string): Promise<boolean> {
  return (await em.findOne(Reservation, { sku, state: "reserved" }, { fields: ["sku"] })) !== null;
}

/** How many of a SKU were sold, to orders that may still give them back; they cannot while the unit goes on. */
export async function soldSoFar(em: SqlEntityManager, sku: string): Promise<number> {
  const sold = await em.find(Reservation, { sku, state: "sold" }, { fields: ["qty"], lockMode });
  return sold.reduce((sum, { qty }) => sum + qty, 0);
}

/** The products, by SKU, kept from others until the unit ends: by all in the same order, so that none waits crosswise. */
async function lockProducts(em: SqlEntityManager, wanted: readonly Pick<Wanted, "sku">[]): Promise<Product[]> {
  await lockStock(em);
  const sku = { $in: wanted.map((each) => each.sku) };
  return em.find(Product, { sku }, { lockMode, orderBy: { sku: "asc" }, refresh: true });
}

/**
 * One unit at a time moves stock: many orders may be handled in one, and their products, order by order, are in no order that
 * others keep. SQLite has one writer anyway.
 */
async function lockStock(em: SqlEntityManager): Promise<void> {
  const transaction = em.getTransactionContext<object>();
  if (em.getPlatform() instanceof SqlitePlatform || !transaction || locked.has(transaction)) return;
  locked.add(transaction);
  await em.execute("select pg_advisory_xact_lock(?)", [stockLock]);
}

function shortage(products: readonly Product[], wanted: readonly Wanted[]): Shortage | undefined {
  const stock = new Map(products.map((product) => [product.sku, product.stock]));
  const bySku = wanted.toSorted((a, b) => (a.sku < b.sku ? -1 : 1));
  const short = bySku.find(({ sku, qty }) => (stock.get(sku) ?? -1) < qty);
  if (short === undefined) return undefined;
  const { sku, qty } = short;
  const left = stock.get(sku);
  const reason = left === undefined ? `product ${sku} does not exist` : `${sku}: ${left} left, ${qty} asked for`;
  return { sku, reason };
}

/** In one statement, without knowing how many there are. It is a change that callers see, so the version grows. */
async function addFree(em: SqlEntityManager, { sku, qty, updatedAt }: Wanted & { readonly updatedAt: Date }) {
  const more = { stock: raw("stock + ?", [qty]), version: raw("version + 1"), updatedAt };
  await em.nativeUpdate(Product, { sku }, more);
}
