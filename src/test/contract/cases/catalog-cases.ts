import { Code } from "@connectrpc/connect";
import { expect } from "vitest";
import { CatalogService, type Product } from "../../../../gen/shop/catalog/v1/catalog_pb.ts";
import { answers, type Case, fails } from "../case.ts";
import type { Shop } from "../shop.ts";

const { listProducts, getProduct, batchGetProducts, createProduct, updateProduct, deleteProduct } =
  CatalogService.method;
const nobody = { as: "nobody", code: Code.Unauthenticated, reason: "CREDENTIALS_MISSING" } as const;
const reader = { as: "reader", code: Code.PermissionDenied, reason: "SCOPE_MISSING" } as const;
const missing = { code: Code.NotFound, reason: "PRODUCT_NOT_FOUND" };

/** What every product here costs, unless it says otherwise. */
export const price = { currencyCode: "EUR", units: 9n, nanos: 990_000_000 };

/** Something new. */
export function ware(shop: Shop) {
  return { sku: `SKU.${shop.next()}_a-b`, name: "Shuttle", description: "Wood", price, stock: 3 };
}

/** A product there is, and that no other case knows. */
export async function aProduct(shop: Shop, wanted: { price?: typeof price } = {}): Promise<Product> {
  const { product = expect.fail() } = await shop.catalog.createProduct({ ...ware(shop), ...wanted });
  return product;
}

/** shop.catalog.v1.CatalogService. */
export const catalogCases: readonly Case[] = [
  answers(listProducts, "a page, and a token for the next one", {
    given: async (shop) => {
      await aProduct(shop);
      await aProduct(shop);
      return { pageSize: 1 };
    },
    check: ([{ products, nextPageToken }]) => {
      expect(products).toMatchObject([{ name: "Shuttle" }]);
      expect(nextPageToken).not.toBe("");
    },
  }),
  fails(listProducts, "a page token of somebody else's making", {
    given: () => ({ pageToken: "garbage" }),
    code: Code.InvalidArgument,
    fields: ["page_token"],
  }),

  answers(getProduct, "a product, its price exact", {
    given: async (shop) => {
      const exact = { currencyCode: "JPY", units: 2n ** 53n - 1n, nanos: 999_999_999 };
      return { sku: (await aProduct(shop, { price: exact })).sku };
    },
    check: ([{ product }], [{ sku }]) => {
      expect(product).toMatchObject({ sku, name: "Shuttle", stock: 3, version: 1 });
      expect(product?.price).toMatchObject({ currencyCode: "JPY", units: 2n ** 53n - 1n, nanos: 999_999_999 });
    },
  }),
  fails(getProduct, "a product that does not exist", { given: () => ({ sku: "NOPE" }), ...missing }),
  fails(getProduct, "a SKU that is too long", {
    given: () => ({ sku: "x".repeat(65) }),
    code: Code.InvalidArgument,
    fields: ["sku"],
  }),

  answers(batchGetProducts, "products in the order asked for", {
    given: async (shop) => ({ skus: [(await aProduct(shop)).sku, (await aProduct(shop)).sku].reverse() }),
    check: ([{ products }], [{ skus }]) => expect(products.map(({ sku }) => sku)).toEqual(skus),
  }),
  fails(batchGetProducts, "one that is missing", {
    given: async (shop) => ({ skus: [(await aProduct(shop)).sku, "NOPE"] }),
    ...missing,
  }),
  fails(batchGetProducts, "the same twice", {
    given: () => ({ skus: ["A", "A"] }),
    code: Code.InvalidArgument,
    fields: ["skus"],
  }),
  fails(batchGetProducts, "nothing at all", {
    given: () => ({}),
    code: Code.InvalidArgument,
    fields: ["skus"],
  }),

  answers(createProduct, "a product, with times and version", {
    given: ware,
    check: ([{ product }], [{ sku }]) => {
      expect(product).toMatchObject({ sku, name: "Shuttle", description: "Wood", price, stock: 3, version: 1 });
      expect(product?.createdAt).toBeDefined();
    },
  }),
  fails(createProduct, "a caller who shows nothing", { given: ware, ...nobody }),
  fails(createProduct, "a caller without the scope", { given: ware, ...reader }),
  fails(createProduct, "a SKU that another has", {
    given: async (shop) => ({ ...ware(shop), sku: (await aProduct(shop)).sku }),
    code: Code.AlreadyExists,
    reason: "SKU_TAKEN",
  }),
  fails(createProduct, "all that can be wrong", {
    given: () => ({ sku: "a b", price: { ...price, currencyCode: "eur" }, stock: -1 }),
    code: Code.InvalidArgument,
    fields: ["sku", "name", "price", "stock"],
  }),
  fails(createProduct, "a request id that stands for something else", {
    given: async (shop) => {
      const request = { ...ware(shop), requestId: `request-${shop.next()}` };
      await shop.catalog.createProduct(request);
      return { ...request, stock: 4 };
    },
    code: Code.InvalidArgument,
    reason: "REQUEST_ID_REUSED",
    fields: ["request_id"],
  }),

  answers(updateProduct, "the fields of the mask, emptied if it says so", {
    given: async (shop) => ({
      product: { sku: (await aProduct(shop)).sku, name: "Bobbin" },
      updateMask: { paths: ["name", "description", "stock"] },
    }),
    check: ([{ product }]) =>
      expect(product).toMatchObject({ name: "Bobbin", description: "", stock: 0, price, version: 2 }),
  }),
  fails(updateProduct, "a caller who shows nothing", { given: () => ({ product: { sku: "NOPE" } }), ...nobody }),
  fails(updateProduct, "a caller without the scope", { given: () => ({ product: { sku: "NOPE" } }), ...reader }),
  fails(updateProduct, "a product that does not exist", {
    given: () => ({ product: { sku: "NOPE", name: "Bobbin" } }),
    ...missing,
  }),
  fails(updateProduct, "a version that is no longer the current one", {
    given: async (shop) => {
      const { sku, version } = await aProduct(shop);
      await shop.catalog.updateProduct({ product: { sku, stock: 2 } });
      return { product: { sku, version, stock: 1 } };
    },
    code: Code.Aborted,
    reason: "VERSION_CONFLICT",
  }),
  fails(updateProduct, "a mask that empties what may not be empty", {
    given: async (shop) => ({
      product: { sku: (await aProduct(shop)).sku },
      updateMask: { paths: ["name", "price"] },
    }),
    code: Code.InvalidArgument,
    fields: ["product.name", "product.price"],
  }),

  answers(deleteProduct, "a product", {
    given: async (shop) => ({ sku: (await aProduct(shop)).sku }),
    check: ([answer]) => expect(answer.$typeName).toBe("shop.catalog.v1.DeleteProductResponse"),
  }),
  fails(deleteProduct, "a caller who shows nothing", { given: () => ({ sku: "NOPE" }), ...nobody }),
  fails(deleteProduct, "a caller without the scope", { given: () => ({ sku: "NOPE" }), ...reader }),
  fails(deleteProduct, "a product that is reserved for an order", {
    given: async (shop) => {
      const { sku } = await aProduct(shop);
      await shop.reserved(sku);
      return { sku };
    },
    code: Code.FailedPrecondition,
    reason: "PRODUCT_RESERVED",
  }),
  fails(deleteProduct, "a product that does not exist", { given: () => ({ sku: "NOPE" }), ...missing }),
];
