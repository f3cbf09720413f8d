import { LockMode } from "@mikro-orm/core";
import { type SqlEntityManager, SqlitePlatform } from "@mikro-orm/sql";
import { query, queryLater } from "../../store/query.ts";
import type { Product } from "./product-entity.ts";
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

/** What an order's stock has come to: the values of one of its rows. */
export type ReservationRow = Readonly<Pick<Reservation, "sku" | "qty" | "state" | "reason">> & {
  readonly short_of: string;
};

const lockMode = LockMode.PESSIMISTIC_WRITE;
/** The number of the catalog's stock among PostgreSQL's advisory locks: any, but its own. */
const stockLock = 507_101;
const locked = new WeakSet<object>();

/**
 * Stock and what of it is kept for orders, as one unit of work sees it: free + reserved + sold is what was received.
 * Statements whose text stays the same, as each order that is placed comes by here.
 */
export function reservations(em: SqlEntityManager, now: number) {
  const updatedAt = new Date(now);
  const insert = async (orderId: string, rows: readonly ReservationRow[]) => {
    const values = rows.map(() => "(?, ?, ?, ?, ?, ?, ?)").join(", ");
    const columns = "order_id, sku, qty, state, reason, short_of, updated_at";
    const parameters = rows.flatMap((row) => {
      return [orderId, row.sku, row.qty, row.state, row.reason, row.short_of, updatedAt];
    });
    await queryLater(em, `insert into reservations (${columns}) values ${values}`, parameters);
  };
  return {
    /** What is known of an order's stock, kept from others until the unit ends; nothing if it was never heard of. */
    async of(orderId: string): Promise<readonly ReservationRow[]> {
      const sql = "select sku, qty, state, reason, short_of from reservations where order_id = ? order by sku";
      return (await query<ReservationRow>(em, sql + forUpdate(em), [orderId])).rows;
    },

    /** Keeps all of it for an order, or nothing: then it says what there is too little of, and remembers that. */
    async reserve(orderId: string, wanted: readonly Wanted[]): Promise<Shortage | undefined> {
      while (!(await take(em, wanted, updatedAt))) {
        const short = shortage(await lockProducts(em, wanted), wanted);
        if (short === undefined) continue; // some came back since
        const { reason, sku: short_of } = short;
        await insert(orderId, [{ ...nothing, state: "rejected", reason, short_of }]);
        return short;
      }
      if (wanted.length > 0)
        await insert(
          orderId,
          wanted.map(({ sku, qty }) => ({ ...nothing, sku, qty, state: "reserved" })),
        );
      return undefined;
    },

    /** What was reserved for an order is sold. Resolves with whether there was something. */
    async sell(orderId: string): Promise<boolean> {
      const sql = "update reservations set state = 'sold', updated_at = ? where order_id = ? and state = 'reserved'";
      return (await query(em, sql, [updatedAt, orderId])).affected > 0;
    },

    /** What was reserved for an order, or sold, is free again; of a product that is gone, it is no more. */
    async release(orderId: string, rows: readonly ReservationRow[]): Promise<void> {
      if (rows.length === 0) return insert(orderId, [{ ...nothing, state: "released" }]);
      const kept = rows.filter(({ state }) => state === "reserved" || state === "sold");
      if (kept.length === 0) return;
      await lockProducts(em, kept);
      for (const { sku, qty } of kept) await addFree(em, { sku, qty, updatedAt });
      const sql =
        "update reservations set state = 'released', updated_at = ? where order_id = ? and state <> 'rejected'";
      await queryLater(em, sql, [updatedAt, orderId]);
    },
  };
}

const nothing = { sku: "", qty: 0, reason: "", short_of: "" };

/** Whether some of a product is reserved for an order that is being placed. */
export async function isReserved(em: SqlEntityManager, sku: string): Promise<boolean> {
  return (await em.findOne(Reservation, { sku, state: "reserved" }, { fields: ["sku"] })) !== null;
}

/** How many of a SKU were sold, to orders that may still give them back; they cannot while the unit goes on. */
export async function soldSoFar(em: SqlEntityManager, sku: string): Promise<number> {
  const sold = await em.find(Reservation, { sku, state: "sold" }, { fields: ["qty"], lockMode });
  return sold.reduce((sum, { qty }) => sum + qty, 0);
}

/**
 * The stock of each product, by SKU, kept from others until the unit ends: in the same order by all, so that none waits
 * crosswise.
 */
async function lockProducts(em: SqlEntityManager, wanted: readonly Pick<Wanted, "sku">[]) {
  await lockStock(em);
  const skus = wanted.map(({ sku }) => sku);
  return (await query<Pick<Product, "sku" | "stock">>(em, productsOf(em, wanted), skus)).rows;
}

function productsOf(em: SqlEntityManager, wanted: readonly unknown[]): string {
  const marks = wanted.map(() => "?").join(", ");
  return `select sku, stock from products where sku in (${marks || "''"}) order by sku${forUpdate(em)}`;
}

/** SQLite has one writer, and locks no rows. */
function forUpdate(em: SqlEntityManager): string {
  return em.getPlatform() instanceof SqlitePlatform ? "" : " for update";
}

/**
 * One unit at a time moves stock: many orders may be handled in one, and their products, order by order, are in no order that
 * others keep. SQLite has one writer anyway.
 */
async function lockStock(em: SqlEntityManager): Promise<void> {
  const transaction = em.getTransactionContext<object>();
  if (em.getPlatform() instanceof SqlitePlatform || !transaction || locked.has(transaction)) return;
  locked.add(transaction);
  await queryLater(em, `select pg_advisory_xact_lock(${stockLock})`);
}

function shortage(
  products: readonly Pick<Product, "sku" | "stock">[],
  wanted: readonly Wanted[],
): Shortage | undefined {
  const stock = new Map(products.map((product) => [product.sku, product.stock]));
  const bySku = wanted.toSorted((a, b) => (a.sku < b.sku ? -1 : 1));
  const short = bySku.find(({ sku, qty }) => (stock.get(sku) ?? -1) < qty);
  if (short === undefined) return undefined;
  const { sku, qty } = short;
  const left = stock.get(sku);
  const reason = left === undefined ? `product ${sku} does not exist` : `${sku}: ${left} left, ${qty} asked for`;
  return { sku, reason };
}

/**
 * Takes all products of an order, if there is enough of each, and says whether it did: by one statement, since orders that are
 * handled side by side look at the same stock.
 */
async function take(em: SqlEntityManager, wanted: readonly Wanted[], updatedAt: Date): Promise<boolean> {
  if (wanted.length === 0) return true;
  await lockStock(em);
  const skus = wanted.map(({ sku }) => sku).sort();
  if (wanted.length > 1) await queryLater(em, productsOf(em, wanted), skus);
  const table = em.getPlatform() instanceof SqlitePlatform ? wantedSqlite : wantedPostgres;
  const sql = `with wanted as (${table})
    update products set stock = stock - (select qty from wanted where wanted.sku = products.sku), version = version + 1, updated_at = ?
    where sku in (select sku from wanted) and stock >= (select qty from wanted where wanted.sku = products.sku) and (
      select count(*) from wanted join products as p on p.sku = wanted.sku where p.stock >= wanted.qty) = ? returning sku`;
  const given = JSON.stringify(wanted.map(({ sku, qty }) => ({ sku, qty })));
  return (await query(em, sql, [given, updatedAt, wanted.length])).rows.length > 0;
}

const wantedSqlite = "select value ->> 'sku' as sku, value ->> 'qty' as qty from json_each(?)";
const wantedPostgres = "select sku, qty from json_to_recordset(?::json) as given (sku text, qty integer)";

/** In one statement, without knowing how many there are. It is a change that callers see, so the version grows. */
async function addFree(em: SqlEntityManager, { sku, qty, updatedAt }: Wanted & { readonly updatedAt: Date }) {
  const sql = "update products set stock = stock + ?, version = version + 1, updated_at = ? where sku = ?";
  await queryLater(em, sql, [qty, updatedAt, sku]);
}
