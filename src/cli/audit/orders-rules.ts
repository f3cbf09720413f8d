import type { Row } from "../databases/snapshot.ts";
import { type Finding, Tally } from "./finding.ts";
import type { Shop } from "./shop.ts";
import { sideBySide, sortedBy } from "./side-by-side.ts";

/** How a saga that has ended leaves its order. */
const endOf: Readonly<Record<string, string>> = { completed: "confirmed", compensated: "cancelled" };

/**
 * Each order was told of as it is: created, and then confirmed once, or cancelled; and its saga has ended as the order did. A saga
 * that hears no answer tells of the creation, or of the cancellation, once more. Orders from before there were events have
 * neither.
 */
export async function ordersRules({ order }: Shop): Promise<readonly Finding[]> {
  const told = new Tally(
    "orders and log",
    "each order's events are in the log as the order is: created, then confirmed or cancelled",
  );
  const ended = new Tally("sagas", "each order has a saga, which has ended as the order is");
  const count = (type: string) => `sum(case when type = 'shop.order.v1.${type}' then 1 else 0 end)`;
  const kinds = `${count("OrderCreated")} as created, ${count("OrderConfirmed")} as confirmed, ${count("OrderCancelled")} as cancelled`;
  const matches = sideBySide(
    { of: order, sql: `select id as key, status from orders ${sortedBy("id", order)}` },
    {
      of: order,
      sql: `select subject as key, ${kinds} from order_events group by subject ${sortedBy("subject", order)}`,
    },
    { of: order, sql: `select id as key, state, step, reason from order_sagas ${sortedBy("id", order)}` },
  );
  const [first] = await order.all("select min(subject) as subject from order_events");
  for await (const { key, rows } of matches) {
    const [[row], [events], [saga]] = rows as [Row[], Row[], Row[]];
    const isOlder =
      events === undefined && saga === undefined && (first?.subject === null || key < String(first?.subject));
    if (isOlder) continue;
    judgeLog(told, { key, row, events });
    judgeSaga(ended, { key, row, saga });
  }
  return [told.finding, ended.finding];
}

interface Judged {
  readonly key: string;
  readonly row: Row | undefined;
}

function judgeLog(tally: Tally, { key, row, events }: Judged & { readonly events: Row | undefined }): void {
  tally.check();
  if (row === undefined) return tally.wrong(`order ${key} is in the log, and does not exist`);
  const { created = 0, confirmed = 0, cancelled = 0 } = events ?? {};
  const [creations = 0, confirmations = 0, cancellations = 0] = [created, confirmed, cancelled].map(Number);
  const times = `created ${creations} ×, confirmed ${confirmations} ×, cancelled ${cancellations} ×`;
  const isTold = {
    pending: confirmations === 0 && cancellations === 0,
    confirmed: confirmations === 1 && cancellations === 0,
    cancelled: confirmations <= 1 && cancellations > 0, // a confirmed order may be cancelled
  }[String(row.status)];
  if (creations === 0 || !isTold) tally.wrong(`order ${key} is ${row.status}; told: ${times}`);
}

function judgeSaga(tally: Tally, { key, row, saga }: Judged & { readonly saga: Row | undefined }): void {
  tally.check();
  if (row === undefined) return tally.wrong(`saga ${key} has no order`);
  if (saga === undefined) return tally.wrong(`order ${key} is ${row.status}, and has no saga`);
  const name = `saga ${key} is ${saga.state} at ${saga.step}${saga.reason ? ` (${saga.reason})` : ""}`;
  const status = endOf[String(saga.state)];
  if (saga.state === "stuck") tally.wrong(`${name}: see heddle saga`);
  else if (status === undefined) tally.underWay(name);
  else if (status !== row.status) tally.wrong(`${name}, and its order is ${row.status}`);
}
