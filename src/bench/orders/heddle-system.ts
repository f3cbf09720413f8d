import type { PartName } from "../../testing/open-cluster.ts";
import { type HeddleOptions, openPrograms } from "./heddle-programs.ts";
import type { Reader } from "./rows-of.ts";
import { fill, type System } from "./system.ts";

const parts: readonly PartName[] = ["discovery", "user", "catalog", "order", "gateway"];

/** Heddle's services and gateway, a process each, with everything on that they have by default. */
export async function openHeddle(options: HeddleOptions): Promise<System> {
  await using opened = new AsyncDisposableStack();
  const { cluster, read } = opened.use(await openPrograms(parts, options));
  const shop = await fill(cluster.replica("gateway").address, {
    authorization: await cluster.bearer("products:write"),
  });
  const [users, orders, catalog] = [await read("user"), await read("order"), await read("catalog")];
  const closing = opened.move();
  return {
    name: options.name,
    shop,
    async ended() {
      const [known] = await users.rows("select count(*) as n from user_orders where status = 'confirmed'");
      const [sold] = await catalog.rows("select count(*) as n from reservations where state = 'sold'");
      return Math.min(Number(known?.n), Number(sold?.n));
    },
    async delaysMs(since) {
      const committed = await timesOf(
        orders,
        "select id, time as at from order_events where type like '%OrderCreated'",
      );
      const applied = await timesOf(users, "select event_id as id, taken_at as at from user_inbox");
      return [...committed].flatMap(([id, at]) => {
        const appliedAt = applied.get(id);
        return at < since.getTime() || appliedAt === undefined ? [] : [appliedAt - at];
      });
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function timesOf(reader: Reader, sql: string): Promise<Map<unknown, number>> {
  const rows = await reader.rows(sql);
  return new Map(rows.map(({ id, at }) => [id, new Date(at as string).getTime()]));
}
