import { PostgreSqlConnection, PostgreSqlDriver } from "@mikro-orm/postgresql";
import type { Clock } from "../base/clock.ts";
import { PostgresDriver, type PostgresPool } from "./postgres-driver.ts";

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
