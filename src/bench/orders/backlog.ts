import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { v7 as uuid } from "uuid";
import { OrderConfirmedSchema, OrderCreatedSchema } from "../../../gen/shop/order/v1/events_pb.ts";
import { OrderSchema, OrderStatus } from "../../../gen/shop/order/v1/order_pb.ts";
import { slotOf } from "../../events/slots.ts";
import { orderEventRows, orderRows } from "../../services/order/order-entity.ts";
import { openStore } from "../../store/orm.ts";
import { type Parameter, query } from "../../store/query.ts";

/** Events that one statement writes. */
const atOnce = 1_000;
/** How long the outage was that left them. */
const outageMs = 600_000;
const columns = ["id", "slot", "type", "version", "subject", "trace_parent", "time", "data_schema", "data"];

/**
 * Writes events that wait to be published into the order service's tables, as its outbox would have: of each order that it was
 * created and, later, that it was confirmed; the last just now. Nobody else has the database open.
 */
export async function writeBacklog(
  place: { readonly databaseUrl: string; readonly dataDir: string },
  events: number,
): Promise<void> {
  await using store = await openStore({ ...orderRows, ...place });
  const orderIds = Array.from({ length: events / 2 }, () => uuid());
  const beganAt = Date.now() - outageMs;
  const timeOf = (nth: number) => new Date(beganAt + (nth / events) * outageMs);
  for (const [half, status] of [OrderStatus.PENDING, OrderStatus.CONFIRMED].entries()) {
    for (let from = 0; from < orderIds.length; from += atOnce) {
      const at = timeOf(half * orderIds.length + from);
      const some = orderIds.slice(from, from + atOnce);
      const values = some.map((id, n) => valuesOf(id, { userId: BigInt(1 + (n % 50)), status, at }));
      const places = values.map(() => `(${columns.map(() => "?").join(", ")})`).join(", ");
      const sql = `insert into "${orderEventRows.events.tableName}" (${columns.join(", ")}) values ${places}`;
      await store.unit((em) => query(em, sql, values.flat()));
    }
  }
}

interface Told {
  readonly userId: bigint;
  readonly status: OrderStatus;
  readonly at: Date;
}

function valuesOf(orderId: string, { userId, status, at }: Told): readonly Parameter[] {
  const price = { currencyCode: "EUR", units: 9n, nanos: 990_000_000 };
  const order = create(OrderSchema, {
    ...{ id: orderId, userId, status, total: price, version: status === OrderStatus.PENDING ? 1 : 2 },
    items: [{ sku: "SKU-1", qty: 1, price }],
    createdAt: timestampFromDate(at),
    updatedAt: timestampFromDate(at),
  });
  const schema = status === OrderStatus.PENDING ? OrderCreatedSchema : OrderConfirmedSchema;
  const data = toBinary(schema, create(schema, { order }));
  return [uuid(), slotOf(orderId), schema.typeName, 1, orderId, "", at, schema.typeName, data];
}
