import type { SqlEntityManager } from "@mikro-orm/sql";
import { query, storable, textsParameter, textsTable, wallOf } from "../../store/query.ts";
import type { Product } from "./product-entity.ts";

/** A product as everybody reads it: the values of its row. */
export type ProductRow = Readonly<Pick<Product, Column>>;

type Column =
  | "sku"
  | "name"
  | "description"
  | "currency"
  | "priceUnits"
  | "priceNanos"
  | "stock"
  | "createdAt"
  | "updatedAt"
  | "version";

const columns = "sku, name, description, currency, price_units, price_nanos, stock, created_at, updated_at, version";

/** Those of these products that there are, by one statement whose text is always the same: each order asks for its own. */
export async function readProducts(em: SqlEntityManager, skus: readonly string[]): Promise<readonly ProductRow[]> {
  const sql = `select ${columns} from products where sku in (select value from ${textsTable(em)})`;
  return (await query<RawProduct>(em, sql, [textsParameter(skus.map(storable))])).rows.map(fromRaw);
}

/** As the databases answer: integers of 64 bits and dates are text from one and numbers from the other. */
interface RawProduct extends Pick<Product, "sku" | "name" | "description" | "currency" | "stock" | "version"> {
  readonly price_units: number | bigint | string;
  readonly price_nanos: number;
  readonly created_at: number | string | Date;
  readonly updated_at: number | string | Date;
}

function fromRaw(raw: RawProduct): ProductRow {
  const { sku, name, description, currency, stock, version } = raw;
  return {
    ...{ sku, name, description, currency, stock, version },
    priceUnits: BigInt(raw.price_units),
    priceNanos: raw.price_nanos,
    createdAt: new Date(wallOf(raw.created_at)),
    updatedAt: new Date(wallOf(raw.updated_at)),
  };
}
