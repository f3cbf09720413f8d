import type { Place } from "../../cli/databases/where.ts";
import { chooseDatabase } from "../../store/database-url.ts";
import { openBroker } from "../../testing/open-broker.ts";
import { type ClusterOptions, openCluster, type PartName } from "../../testing/open-cluster.ts";
import { openDatabase } from "../../testing/open-database.ts";
import { openPostgresServer } from "../../testing/open-postgres-server.ts";
import { restOk } from "../integration/rest.ts";
import type { Victim } from "./trouble.ts";

/** Where the data are and how events travel. */
export const stackNames = ["sqlite", "postgres"] as const;

/** One of them. */
export type StackName = (typeof stackNames)[number];

/** A whole system of real processes, with what can be killed in it. */
export interface Stack extends AsyncDisposable {
  readonly name: StackName;
  /** "host:port" of every gateway. */
  readonly gateways: readonly string[];
  readonly victims: readonly Victim[];
  /** Where the rows are, for the audit. */
  readonly places: readonly Place[];
  readonly bearer: string;
}

/** Longer than the broker or a database is away: what is looked for is loss, not orders cancelled because a busy machine was late. */
const sagaTimeout = "10m";

const replicas = { discovery: 1, user: 2, catalog: 2, order: 2, gateway: 2 } as const;
const audited = ["user", "order", "catalog"] as const;
const parts = Object.keys(replicas) as PartName[];

/** SQLite and the event stream: no server but our own programs. PostgreSQL and RabbitMQ: servers of the run's own. */
export async function openStack(name: StackName, onFailure: ClusterOptions["onFailure"]): Promise<Stack> {
  await using opened = new AsyncDisposableStack();
  const servers = name === "postgres" ? await openServers(opened) : { victims: [], databases: noDatabases, env: {} };
  const envOf = Object.fromEntries(parts.map((part) => [part, { DATABASE_URL: servers.databases[part] }]));
  const env = { LOG_LEVEL: "warn", SAGA_TIMEOUT: sagaTimeout, ...servers.env };
  const cluster = opened.use(await openCluster({ replicas, env, envOf, onFailure }));
  const programs = parts.flatMap((part) =>
    Array.from({ length: replicas[part] }, (_, index) => cluster.replica(part, index)),
  );
  const closing = opened.move();
  return {
    name,
    gateways: programs.filter(({ part }) => part === "gateway").map(({ address }) => address),
    victims: [...programs, ...servers.victims],
    places: audited.map((part) => {
      const where = { name: part, databaseUrl: servers.databases[part], dataDir: cluster.dataDir };
      return { name: part, database: chooseDatabase(where) };
    }),
    bearer: await cluster.bearer("products:write"),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

const noDatabases = Object.fromEntries(parts.map((part) => [part, ""])) as Record<PartName, string>;

async function openServers(opened: AsyncDisposableStack) {
  const postgres = opened.use(await openPostgresServer());
  const broker = opened.use(await openBroker());
  const databases = { ...noDatabases };
  for (const part of parts) {
    databases[part] = (await openDatabase("postgres", { postgresUrl: postgres.url })).databaseUrl;
  }
  const victims: Victim[] = [
    { name: "postgres", kill: () => postgres.kill(), start: () => postgres.start() },
    { name: "rabbitmq", kill: () => broker.kill(), start: () => broker.start() },
  ];
  return { victims, databases, env: { AMQP_URL: broker.url } };
}

/** Who orders, and what there is to order: of one product too little for all who want it. */
export async function fillShop({ gateways, bearer }: Pick<Stack, "gateways" | "bearer">) {
  const [gateway = ""] = gateways;
  const userIds: string[] = [];
  for (let n = 0; n < 20; n++) {
    const user = await restOk(gateway, "/v1/users", { name: `User ${n}`, email: `user-${n}@example.com` });
    userIds.push(String(user.id));
  }
  const stocks = { "PLENTY-1": 1_000_000, "PLENTY-2": 1_000_000, "PLENTY-3": 1_000_000, SCARCE: 500 };
  for (const [sku, stock] of Object.entries(stocks)) {
    const price = { currencyCode: "EUR", units: "9", nanos: 990_000_000 };
    await restOk(gateway, "/v1/products", { sku, name: sku, price, stock }, { authorization: bearer });
  }
  return { userIds, skus: Object.keys(stocks) };
}
