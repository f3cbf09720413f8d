import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../testing/free-port.ts";
import { Program } from "../../testing/program.ts";
import { openReader } from "./rows-of.ts";
import { fill, type System } from "./system.ts";

/** What the plain services stand on. */
export interface PlainOptions {
  readonly name: string;
  readonly amqpUrl: string;
  /** By which its exchange and queues begin. */
  readonly shop: string;
  /** The database of a service: a PostgreSQL URL; unset, SQLite files in a folder of its own. */
  readonly databaseOf?: (service: string) => Promise<string>;
}

const services = ["user", "catalog", "order"] as const;

/** The plain services and their gateway, a process each. */
export async function openPlain({ name, amqpUrl, shop: prefix, databaseOf }: PlainOptions): Promise<System> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "heddle-plain-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const of = databaseOf ?? (async (service: string) => join(folder, `${service}.db`));
  const databases = { user: await of("user"), catalog: await of("catalog"), order: await of("order") };
  const ports = {
    user: await freePort(),
    catalog: await freePort(),
    order: await freePort(),
    gateway: await freePort(),
  };
  const at = (service: keyof typeof ports) => `127.0.0.1:${ports[service]}`;
  const addresses = { USER_ADDRESS: at("user"), CATALOG_ADDRESS: at("catalog"), ORDER_ADDRESS: at("order") };
  for (const role of [...services, "gateway"] as const) {
    const database = role === "gateway" ? "" : databases[role];
    const env = { ...addresses, PORT: String(ports[role]), DATABASE_URL: database, AMQP_URL: amqpUrl, SHOP: prefix };
    opened.use(new Program({ name: `plain ${role}`, file: "bench/orders/plain/main.ts", args: [role], env }));
  }
  const shop = await fill(at("gateway"));
  const users = opened.use(await openReader(databases.user));
  const catalog = opened.use(await openReader(databases.catalog));
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
      const rows = await users.rows("select committed_at, applied_at from user_orders");
      return rows
        .map(timesOf)
        .filter(({ from }) => from >= since.getTime())
        .map(({ from, to }) => to - from);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function timesOf({ committed_at, applied_at }: Readonly<Record<string, unknown>>) {
  return { from: new Date(committed_at as string).getTime(), to: new Date(applied_at as string).getTime() };
}
