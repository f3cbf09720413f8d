import { openCluster, type PartName } from "../../testing/open-cluster.ts";
import { openReader, type Reader } from "./rows-of.ts";
import { fill, type System } from "./system.ts";

/** What Heddle's services stand on. */
export interface HeddleOptions {
  readonly name: string;
  /** RabbitMQ; unset, events travel by the stream. */
  readonly amqpUrl?: string;
  /** The database of a service: a PostgreSQL URL; unset, SQLite files in a folder of its own. */
  readonly databaseOf?: (service: string) => Promise<string>;
}

const parts: readonly PartName[] = ["discovery", "user", "catalog", "order", "gateway"];

/** Heddle's services and gateway, a process each, with everything on that they have by default. */
export async function openHeddle({ name, amqpUrl = "", databaseOf }: HeddleOptions): Promise<System> {
  await using opened = new AsyncDisposableStack();
  const urls = new Map<PartName, string>();
  if (databaseOf) for (const part of parts) urls.set(part, await databaseOf(part));
  const envOf = Object.fromEntries([...urls].map(([part, url]) => [part, { DATABASE_URL: url }]));
  const replicas = Object.fromEntries(parts.map((part) => [part, 1]));
  const env = { LOG_LEVEL: "warn", AMQP_URL: amqpUrl };
  const cluster = opened.use(await openCluster({ replicas, env, envOf, onFailure: () => {} }));
  const shop = await fill(cluster.replica("gateway").address, {
    authorization: await cluster.bearer("products:write"),
  });
  const read = async (part: PartName) =>
    opened.use(await openReader(urls.get(part) ?? `${cluster.dataDir}/${part}.db`));
  const [users, orders, catalog] = [await read("user"), await read("order"), await read("catalog")];
  const closing = opened.move();
  return {
    name,
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
