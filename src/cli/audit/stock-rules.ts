import type { Row } from "../databases/snapshot.ts";
import { type Finding, Tally } from "./finding.ts";
import type { InFlight, Shop } from "./shop.ts";
import { sideBySide, sortedBy } from "./side-by-side.ts";

/** Of every product, what was ever put in is free, kept for an order, or sold; none of them is less than nothing. */
export async function stockRule({ catalog }: Shop): Promise<Finding> {
  const tally = new Tally("stock", "of every product, received = free + reserved + sold");
  const sum = (state: string) => `coalesce(sum(case when r.state = '${state}' then r.qty else 0 end), 0) as ${state}`;
  const sql = `select p.sku, p.received, p.stock, ${sum("reserved")}, ${sum("sold")} from products p
    left join reservations r on r.sku = p.sku group by p.sku, p.received, p.stock`;
  for await (const page of catalog.pages(sql)) {
    for (const row of page) {
      const [received = 0, ...parts] = [row.received, row.stock, row.reserved, row.sold].map(Number);
      const [free, reserved, sold] = parts;
      tally.check();
      const isRight = parts.every((part) => part >= 0) && received === parts.reduce((sum, part) => sum + part, 0);
      if (!isRight)
        tally.wrong(`${row.sku}: received ${received}, but free ${free} + reserved ${reserved} + sold ${sold}`);
    }
  }
  const [strays] = await catalog.all(`select count(*) as count, min(sku) as sku from reservations r
    where r.state = 'reserved' and not exists (select 1 from products p where p.sku = r.sku)`);
  if (Number(strays?.count) > 0)
    tally.wrong(`reservations of ${strays?.sku}, which is no product`, Number(strays?.count));
  return tally.finding;
}

/** States in which an order has goods. */
const holding = new Set(["reserved", "sold"]);

/** What an order has of the catalog, once nothing is on its way between them. */
const due: Readonly<Record<string, readonly string[]>> = {
  pending: ["none", "reserved", "rejected"],
  confirmed: ["sold"],
  cancelled: ["none", "released", "rejected"],
};

/** What the catalog keeps for orders is what they ask for, in the state that they are in. */
export async function reservationsRule({ order, catalog }: Shop, inFlight: InFlight): Promise<Finding> {
  const says = "a confirmed order's goods are sold, a cancelled one's are free, a pending one's are reserved or free";
  const tally = new Tally("reservations", says);
  const [first] = await order.all("select min(subject) as subject from order_events");
  const matches = sideBySide(
    { of: order, sql: `select id as key, status, lines from orders ${sortedBy("id", order)}` },
    { of: catalog, sql: `select order_id as key, sku, qty, state from reservations ${sortedBy("order_id", catalog)}` },
  );
  for await (const { key, rows } of matches) {
    const [[row], kept] = rows as [Row[], Row[]];
    if (row !== undefined && kept.length === 0 && (first?.subject === null || key < String(first?.subject))) continue;
    tally.check();
    const states = [...new Set(kept.map(({ state }) => String(state)))];
    if (row === undefined) {
      if (states.some((state) => holding.has(state)))
        tally.wrong(`goods are ${states} for order ${key}, which does not exist`);
      continue;
    }
    const said = `order ${key} is ${row.status}, its goods are ${states.join(" and ") || "not reserved"}`;
    const isRight = states.length <= 1 && due[String(row.status)]?.includes(states[0] ?? "none");
    const isHeard = !inFlight.has("order", "catalog", key);
    if (!isRight && isHeard) tally.wrong(said);
    else if (!isRight) tally.underWay(said);
    else if (holding.has(states[0] ?? "") && spell(kept) !== spell(linesOf(row))) {
      tally.wrong(`order ${key} asks for ${spell(linesOf(row))}, and has ${spell(kept)}`);
    }
  }
  return tally.finding;
}

/** JSON comes as text from SQLite, and read from PostgreSQL. */
function linesOf({ lines }: Row): readonly Row[] {
  return (typeof lines === "string" ? JSON.parse(lines) : lines) as readonly Row[];
}

/** How many of what, in an order of its own: "ABC × 2, DEF × 1". */
function spell(lines: readonly Row[]): string {
  const sums = new Map<string, number>();
  for (const { sku, qty } of lines) sums.set(String(sku), (sums.get(String(sku)) ?? 0) + Number(qty));
  return [...sums]
    .map(([sku, qty]) => `${sku} × ${qty}`)
    .sort()
    .join(", ");
}
