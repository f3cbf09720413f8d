import { PostgreSqlConnection, PostgreSqlDriver } from "@mikro-orm/postgresql";
import type { SqlEntityManager } from "@mikro-orm/sql";
import type { ControlledTransaction } from "kysely";
import type { Clock } from "../base/clock.ts";
import { PostgresDriver, type PostgresPool } from "./postgres-driver.ts";
import { PostgresSession } from "./postgres-session.ts";

/** MikroORM's driver of PostgreSQL, which asks the server by `PostgresDriver`. */
export function postgresDriver(clock: Clock): typeof PostgreSqlDriver {
  class Connection extends PostgreSqlConnection {
    override createKyselyDialect(overrides: Parameters<PostgreSqlConnection["createKyselyDialect"]>[0]) {
      const made: PostgresPool[] = [];
      const onPoolCreated = (pool: PostgresPool) => void made.push(pool);
      const dialect = super.createKyselyDialect({ ...overrides, onPoolCreated } as typeof overrides);
      dialect.createDriver = () => {
        const [pool] = made;
        if (pool === undefined) throw new Error("MikroORM has made no pool");
        return new PostgresDriver(pool, clock);
      };
      return dialect;
    }
  }
  return class extends PostgreSqlDriver {
    protected override readonly connection = new Connection(this.config);
  };
}

const sessions = new WeakMap<object, Promise<PostgresSession | undefined>>();

/**
 * The session of the transaction that `em` is in, if that is one of PostgreSQL. Kysely lets one statement at a time through to
 * it; asked directly, it sends those together that are asked side by side.
 */
export function postgresSession(em: SqlEntityManager): Promise<PostgresSession | undefined> | undefined {
  const transaction = em.getTransactionContext<ControlledTransaction<unknown>>();
  if (transaction === undefined) return undefined;
  const known = sessions.get(transaction);
  if (known !== undefined) return known;
  const found = transaction.getExecutor().provideConnection(async (connection) => {
    return connection instanceof PostgresSession ? connection : undefined;
  });
  sessions.set(transaction, found);
  return found;
}
