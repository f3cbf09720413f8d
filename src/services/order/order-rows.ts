import type { SqlEntityManager } from "@mikro-orm/sql";
import { query, queryLater, wallOf } from "../../store/query.ts";
import type { Line, Order, Status } from "./order-entity.ts";

/** An order as everybody reads it: the values of its row. */
export type OrderRow = Readonly<Pick<Order, keyof Columns>>;

/** What a row has, by the entity's names. */
type Columns = Record<
  | "id"
  | "userId"
  | "lines"
  | "status"
  | "currency"
  | "totalUnits"
  | "totalNanos"
  | "cancelReason"
  | "createdAt"
  | "updatedAt"
  | "version",
  unknown
>;

/** Writes a new order, in one statement whose text is always the same: each order that is placed comes by here. */
export async function insertOrder(em: SqlEntityManager, order: OrderRow): Promise<void> {
  const columns =
    "id, user_id, lines, status, currency, total_units, total_nanos, cancel_reason, created_at, updated_at, version";
  await queryLater(em, `insert into orders (${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, [
    order.id,
    order.userId,
    JSON.stringify(order.lines),
    order.status,
    order.currency,
    order.totalUnits,
    order.totalNanos,
    order.cancelReason,
    order.createdAt,
    order.updatedAt,
    order.version,
  ]);
}

/** Confirms an order that is pending, in one statement; nothing when it is not, or there is none. */
export async function confirmPending(em: SqlEntityManager, id: string, now: number): Promise<OrderRow | undefined> {
  const to = "status = 'confirmed', updated_at = ?, version = version + 1";
  const sql = `update orders set ${to} where id = ? and status = 'pending' returning *`;
  const { rows } = await query<RawOrder>(em, sql, [new Date(now), id]);
  return rows[0] && fromRaw(rows[0]);
}

/** As the databases answer: integers of 64 bits, JSON and dates are text from one and values from the other. */
interface RawOrder {
  readonly id: string;
  readonly user_id: number | bigint | string;
  readonly lines: string | readonly Line[];
  readonly status: Status;
  readonly currency: string;
  readonly total_units: number | bigint | string;
  readonly total_nanos: number;
  readonly cancel_reason: string;
  readonly created_at: number | string | Date;
  readonly updated_at: number | string | Date;
  readonly version: number;
}

function fromRaw(raw: RawOrder): OrderRow {
  const { id, lines, status, currency, version } = raw;
  return {
    id,
    userId: BigInt(raw.user_id),
    lines: typeof lines === "string" ? (JSON.parse(lines) as readonly Line[]) : lines,
    status,
    currency,
    totalUnits: BigInt(raw.total_units),
    totalNanos: raw.total_nanos,
    cancelReason: raw.cancel_reason,
    createdAt: new Date(wallOf(raw.created_at)),
    updatedAt: new Date(wallOf(raw.updated_at)),
    version,
  };
}
