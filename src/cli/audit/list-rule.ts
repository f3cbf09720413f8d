import type { Row } from "../databases/snapshot.ts";
import { type Finding, Tally } from "./finding.ts";
import type { InFlight, Shop } from "./shop.ts";
import { sideBySide, sortedBy } from "./side-by-side.ts";

/** The list that the user service keeps of each user's orders is what the orders are. */
export async function listRule({ user, order }: Shop, inFlight: InFlight): Promise<Finding> {
  const tally = new Tally("order lists", "each user's list holds the user's orders, as they are");
  const [first] = await order.all("select min(subject) as subject from order_events");
  const columns = "user_id, status, version";
  const matches = sideBySide(
    { of: order, sql: `select id as key, ${columns} from orders ${sortedBy("id", order)}` },
    { of: user, sql: `select order_id as key, ${columns} from user_orders ${sortedBy("order_id", user)}` },
  );
  for await (const { key, rows } of matches) {
    const [[row], [listed]] = rows as [Row[], Row[]];
    if (listed === undefined && (first?.subject === null || key < String(first?.subject))) continue;
    tally.check();
    if (row === undefined) tally.wrong(`order ${key} is listed, and does not exist`);
    else if (spell(row) !== spell(listed)) {
      const said = `order ${key} is ${spell(row)}, and is listed as ${spell(listed)}`;
      if (inFlight.has("order", "user", key)) tally.underWay(said);
      else tally.wrong(said);
    }
  }
  return tally.finding;
}

function spell(row: Row | undefined): string {
  return row === undefined ? "nothing" : `${row.status} (user ${row.user_id}, version ${row.version})`;
}
