import { openDatabase } from "../../testing/open-database.ts";
import { openHeddle } from "./heddle-system.ts";
import { openPlain } from "./plain-system.ts";
import type { System } from "./system.ts";

/** What is compared: Heddle's services and the plain ones, over the same databases. */
export const pairs = [
  { databases: "SQLite", heddle: "Heddle, SQLite, event stream", plain: "plain, SQLite, RabbitMQ" },
  { databases: "PostgreSQL", heddle: "Heddle, PostgreSQL, RabbitMQ", plain: "plain, PostgreSQL, RabbitMQ" },
] as const;

/** All of them, started; closed with `opened`. */
export async function openSystems(opened: AsyncDisposableStack, amqpUrl: string): Promise<readonly System[]> {
  const [sqlite, postgres] = pairs;
  const databaseOf = async () => opened.use(await openDatabase("postgres")).databaseUrl;
  return [
    opened.use(await openHeddle({ name: sqlite.heddle })),
    opened.use(await openPlain({ name: sqlite.plain, shop: "plain-sqlite", amqpUrl })),
    opened.use(await openHeddle({ name: postgres.heddle, amqpUrl, databaseOf })),
    opened.use(await openPlain({ name: postgres.plain, shop: "plain-postgres", amqpUrl, databaseOf })),
  ];
}
