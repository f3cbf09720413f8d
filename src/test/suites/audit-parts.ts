import type { Place } from "../../cli/databases/where.ts";
import { catalogRows } from "../../services/catalog/product-entity.ts";
import { orderRows } from "../../services/order/order-entity.ts";
import { userRows } from "../../services/user/user-entity.ts";
import { chooseDatabase, type DatabaseKind } from "../../store/database-url.ts";
import { openStore, type Store } from "../../store/orm.ts";
import { openDatabase } from "../../testing/open-database.ts";

const rowsOf = { user: userRows, order: orderRows, catalog: catalogRows };
type Name = keyof typeof rowsOf;

/** The databases of a shop in which nothing has happened yet, written to by hand. */
export interface Books extends AsyncDisposable {
  readonly places: readonly Place[];
  run(name: Name, sql: string, values?: readonly unknown[]): Promise<void>;
  /** Lets go of the databases, which stay. */
  close(): Promise<void>;
  insert(name: Name, table: string, row: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Opens them: each database its own, its tables as the services make them. */
export async function openBooks(kind: DatabaseKind): Promise<Books> {
  await using opening = new AsyncDisposableStack();
  const stores = new Map<Name, Store>();
  const places: Place[] = [];
  for (const name of ["user", "order", "catalog"] as const) {
    const where = opening.use(await openDatabase(kind));
    stores.set(name, opening.use(await openStore({ ...rowsOf[name], ...where })));
    places.push({ name, database: chooseDatabase({ name, ...where }) });
  }
  const run = async (name: Name, sql: string, values: readonly unknown[] = []) => {
    await stores.get(name)?.unit((em) => em.execute(sql, [...values], "run"));
  };
  const insert = (name: Name, table: string, row: Readonly<Record<string, unknown>>) => {
    const places = Object.keys(row).map(() => "?");
    return run(
      name,
      `insert into ${table} (${Object.keys(row).join(", ")}) values (${places.join(", ")})`,
      Object.values(row),
    );
  };
  const close = async () => {
    for (const store of stores.values()) await store[Symbol.asyncDispose]();
  };
  const opened = opening.move();
  return { places, run, insert, close, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** An instant that all rows bear. */
const at = "2026-11-21 12:00:00.000";

/** An order in the books: what became of it. */
export interface Booked {
  readonly id: string;
  readonly status: "confirmed" | "cancelled";
}

/** Ids as orders have them: the n-th is later than the one before. */
export const orderId = (n: number) => `019a0000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const eventId = (n: number, step: number) => `019b0000-0000-7000-8000-${String(n * 10 + step).padStart(12, "0")}`;

/** A product of which ten were put in; `sold` of them are. */
export async function bookProduct({ insert }: Books, sku: string, { sold }: { readonly sold: number }): Promise<void> {
  const price = { currency: "EUR", price_units: 1, price_nanos: 0 };
  const times = { created_at: at, updated_at: at, version: 1 };
  await insert("catalog", "products", {
    sku,
    name: sku,
    description: "",
    ...price,
    received: 10,
    stock: 10 - sold,
    ...times,
  });
}

/** An order of one ABC, all that follows from it written down everywhere: what the n-th of them looks like when all is well. */
export async function bookOrder(books: Books, n: number, status: Booked["status"]): Promise<void> {
  const { insert } = books;
  const [id, version] = [orderId(n), 2];
  const total = { currency: "EUR", total_units: 1, total_nanos: 0 };
  const times = { created_at: at, updated_at: at };
  const lines = JSON.stringify([{ sku: "ABC", qty: 1, priceUnits: "1", priceNanos: 0 }]);
  await insert("order", "orders", { id, user_id: 1, lines, status, ...total, cancel_reason: "", ...times, version });
  await insert("order", "order_request_ids", {
    request_id: `request-${n}`,
    content_hash: "x",
    resource: id,
    created_at: at,
  });
  await insert("user", "user_orders", { order_id: id, user_id: 1, status, ...total, item_count: 1, version, ...times });
  await bookSaga(books, id, status);
  if (status === "confirmed")
    await insert("catalog", "reservations", { order_id: id, sku: "ABC", qty: 1, state: "sold", updated_at: at });
  await bookEvent(books, { source: "order", step: 1, n, type: "shop.order.v1.OrderCreated", to: ["user", "catalog"] });
  const answer = status === "confirmed" ? "StockReserved" : "StockRejected";
  await bookEvent(books, { source: "catalog", step: 2, n, type: `shop.catalog.v1.${answer}`, to: ["order"] });
  const end = status === "confirmed" ? "OrderConfirmed" : "OrderCancelled";
  await bookEvent(books, { source: "order", step: 3, n, type: `shop.order.v1.${end}`, to: ["user", "catalog"] });
}

const saga = { attempts: 1, history: "[]", started_at: at, updated_at: at, version: 1 };

async function bookSaga({ insert }: Books, id: string, status: Booked["status"]): Promise<void> {
  const state = status === "confirmed" ? "completed" : "compensated";
  await insert("order", "order_sagas", { id, name: "place-order", state, step: "reserve-stock", reason: "", ...saga });
}

interface BookedEvent {
  readonly source: Name;
  readonly n: number;
  readonly step: number;
  readonly type: string;
  readonly to: readonly Name[];
}

async function bookEvent({ insert }: Books, { source, n, step, type, to }: BookedEvent): Promise<void> {
  const id = eventId(n, step);
  const rest = { version: 1, trace_parent: "", time: at, data_schema: type, data: Buffer.of(0) };
  await insert(source, `${source}_events`, {
    id,
    position: n * 10 + step,
    slot: 0,
    type,
    subject: orderId(n),
    ...rest,
  });
  for (const name of to) await insert(name, `${name}_inbox`, { event_id: id, source, taken_at: at });
}
