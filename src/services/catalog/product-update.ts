import type { Product, UpdateProductRequest } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { invalidArgument } from "../../call/errors.ts";
import { fieldsToChange } from "../../store/update-mask.ts";
import { priceColumns } from "./product-mapping.ts";
import type { ProductValues } from "./product-repository.ts";

/** A change to one product, ready for its row. */
export interface ProductUpdate {
  readonly sku: string;
  /** The version that the change builds on; 0 for any. */
  readonly version: number;
  readonly values: Partial<ProductValues>;
}

/** Reads what an update asks for, or refuses it with INVALID_ARGUMENT. */
export function readUpdate({ product, updateMask }: UpdateProductRequest): ProductUpdate {
  if (product === undefined || product.sku === "") {
    throw invalidArgument([{ field: "product.sku", description: "has to be the SKU of a product" }]);
  }
  const fields = fieldsToChange(updateMask, {
    resource: "product",
    fields: ["name", "description", "price", "stock"],
    required: ["name", "price"],
    ignored: ["sku", "created_at", "updated_at", "version"],
    filled: (field) => Boolean(product[field]),
  });
  const values = Object.assign({}, ...fields.map((field) => columns(field, product)));
  return { sku: product.sku, version: product.version, values };
}

function columns(field: "name" | "description" | "price" | "stock", product: Product): Partial<ProductValues> {
  if (field !== "price") return { [field]: product[field] };
  return product.price === undefined ? {} : priceColumns(product.price);
}
