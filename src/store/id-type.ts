import { BigIntType, type EntityProperty, type Platform } from "@mikro-orm/core";
import { SqlitePlatform } from "@mikro-orm/sql";

/**
 * An id counted by the database: bigint here, `integer` in SQLite, `bigserial` in PostgreSQL.
 *
 * MikroORM's own `p.bigint()` as a primary key makes SQLite's schema differ from the entities for ever.
 */
export class IdType extends BigIntType<"bigint"> {
  constructor() {
    super("bigint");
  }

  override getColumnType(prop: EntityProperty, platform: Platform): string {
    return platform instanceof SqlitePlatform ? "integer" : platform.getBigIntTypeDeclarationSQL(prop);
  }
}
