import { openBroker, type TestBroker } from "../../testing/open-broker.ts";
import type { ClusterOptions } from "../../testing/open-cluster.ts";
import { openDatabase } from "../../testing/open-database.ts";

/** The two ways in which the shop's data are kept and its events travel. */
export type StackName = "SQLite and streams" | "PostgreSQL and RabbitMQ";

/** What the programs of a stack are told, and the broker where there is one. */
export interface EventStack extends Required<Pick<ClusterOptions, "env" | "envOf">>, AsyncDisposable {
  readonly broker: TestBroker | undefined;
}

/** Opens databases and a broker of a test's own, where the stack has such. */
export async function openEventStack(name: StackName): Promise<EventStack> {
  const seeded = { SEED: "true" };
  if (name === "SQLite and streams") {
    return { env: {}, envOf: { catalog: seeded }, broker: undefined, async [Symbol.asyncDispose]() {} };
  }
  await using opening = new AsyncDisposableStack();
  const database = async () => ({ DATABASE_URL: opening.use(await openDatabase("postgres")).databaseUrl });
  const envOf = { user: await database(), order: await database(), catalog: { ...(await database()), ...seeded } };
  const broker = opening.use(await openBroker());
  const own = opening.move();
  return { env: { AMQP_URL: broker.url }, envOf, broker, [Symbol.asyncDispose]: () => own.disposeAsync() };
}
