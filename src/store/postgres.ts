import { PostgreSqlConnection, PostgreSqlDriver } from "@mikro-orm/postgresql";
import { returning } from "./returning-driver.ts";

class ReturningConnection extends PostgreSqlConnection {
  override createKyselyDialect(...options: Parameters<PostgreSqlConnection["createKyselyDialect"]>) {
    return returning(super.createKyselyDialect(...options));
  }
}

/** MikroORM's driver of PostgreSQL, which survives connections that break in the middle of a transaction. */
export class ReturningPostgreSqlDriver extends PostgreSqlDriver {
  protected override readonly connection = new ReturningConnection(this.config);
}
