import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { Money } from "../../../gen/google/type/money_pb.ts";
import type { ProductSchema } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import type { ProductValues } from "./product-repository.ts";
import type { ProductRow } from "./product-rows.ts";

/** The row as callers see it. */
export function toProto(product: ProductRow): MessageInitShape<typeof ProductSchema> {
  const { sku, name, description, stock, version } = product;
  const price = { currencyCode: product.currency, units: product.priceUnits, nanos: product.priceNanos };
  const createdAt = timestampFromDate(product.createdAt);
  const updatedAt = timestampFromDate(product.updatedAt);
  return { sku, name, description, price, stock, createdAt, updatedAt, version };
}

/** A price as the row keeps it: exact, in three columns. */
export function priceColumns({
  currencyCode,
  units,
  nanos,
}: Money): Pick<ProductValues, "currency" | "priceUnits" | "priceNanos"> {
  return { currency: currencyCode, priceUnits: units, priceNanos: nanos };
}
