import { create } from "@bufbuild/protobuf";
import { FieldMaskSchema, timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { catalogService } from "../../services/catalog/catalog-service.ts";
import { catalogRows } from "../../services/catalog/product-entity.ts";
import { seed } from "../../services/catalog/seed.ts";
import type { DatabaseKind } from "../../store/database-url.ts";
import type { Store } from "../../store/orm.ts";
import { fakeClock } from "../../testing/fake-clock.ts";
import { expectError } from "./errors.ts";
import { openReplicas } from "./open-service.ts";
import { schemaSuite } from "./schema-suite.ts";

const price = { currencyCode: "EUR", units: 9n, nanos: 990_000_000 };
const shuttle = { sku: "ABC", name: "Shuttle", description: "Wood", price, stock: 3 };
const mask = (...paths: string[]) => create(FieldMaskSchema, { paths });

/** What the catalog promises, whatever the database. */
export function catalogSuite(kind: DatabaseKind): void {
  const clock = fakeClock();
  const implement = (store: Store) => catalogService({ store, clock });
  const open = async (count = 1) => {
    const replicas = await openReplicas(kind, { service: CatalogService, rows: catalogRows, implement }, count);
    const [catalog = expect.fail(), second = catalog] = replicas.clients;
    const close = () => replicas[Symbol.asyncDispose]();
    return { catalog, second, stores: replicas.stores, [Symbol.asyncDispose]: close };
  };

  schemaSuite(kind, catalogRows);

  test("a product created is a product found, its price exact", async () => {
    await using shop = await open();
    const exact = { currencyCode: "JPY", units: 2n ** 63n - 1n, nanos: 999_999_999 };
    const { product } = await shop.catalog.createProduct({ ...shuttle, price: exact });
    expect(product).toMatchObject({ ...shuttle, price: exact, version: 1 });
    expect(product?.createdAt && timestampDate(product.createdAt).getTime()).toBe(clock.now());
    expect((await shop.catalog.getProduct({ sku: "ABC" })).product).toEqual(product);
  });

  test("a SKU belongs to one product", async () => {
    await using shop = await open();
    await shop.catalog.createProduct(shuttle);
    await expectError(shop.catalog.createProduct(shuttle), { code: Code.AlreadyExists, reason: "SKU_TAKEN" });
    await shop.catalog.createProduct({ ...shuttle, sku: "abc" });
  });

  test("a product that does not exist is NOT_FOUND, however it is asked for", async () => {
    await using shop = await open();
    const missing = { code: Code.NotFound, reason: "PRODUCT_NOT_FOUND", message: /product NOPE does not exist/ };
    await expectError(shop.catalog.getProduct({ sku: "NOPE" }), missing);
    await expectError(shop.catalog.updateProduct({ product: { sku: "NOPE", name: "x" } }), missing);
    await expectError(shop.catalog.deleteProduct({ sku: "NOPE" }), missing);
  });

  test("several products come in the order asked for, or the first missing one is named", async () => {
    await using shop = await open();
    for (const sku of ["A", "B", "C"]) await shop.catalog.createProduct({ ...shuttle, sku });
    const { products } = await shop.catalog.batchGetProducts({ skus: ["C", "A"] });
    expect(products.map(({ sku }) => sku)).toEqual(["C", "A"]);
    const missing = shop.catalog.batchGetProducts({ skus: ["C", "X", "A", "Y"] });
    await expectError(missing, { code: Code.NotFound, reason: "PRODUCT_NOT_FOUND", message: /product X does/ });
  });

  test("products are listed by SKU, page by page, each once", async () => {
    await using shop = await open();
    for (const sku of ["C", "A", "E", "B", "D"]) await shop.catalog.createProduct({ ...shuttle, sku });
    const first = await shop.catalog.listProducts({ pageSize: 3 });
    const second = await shop.catalog.listProducts({ pageSize: 3, pageToken: first.nextPageToken });
    expect([...first.products, ...second.products].map(({ sku }) => sku)).toEqual(["A", "B", "C", "D", "E"]);
    expect(second.nextPageToken).toBe("");
    const garbage = shop.catalog.listProducts({ pageToken: "garbage" });
    await expectError(garbage, { code: Code.InvalidArgument, fields: ["page_token"] });
  });

  test("an update changes the fields of its mask, which may empty what may be empty", async () => {
    await using shop = await open();
    await shop.catalog.createProduct(shuttle);
    const updateMask = mask("stock", "description", "price");
    const dearer = { ...price, units: 10n };
    const { product } = await shop.catalog.updateProduct({ product: { sku: "ABC", price: dearer }, updateMask });
    expect(product).toMatchObject({ name: "Shuttle", description: "", stock: 0, price: dearer, version: 2 });
    const filled = await shop.catalog.updateProduct({ product: { sku: "ABC", stock: 4 } });
    expect(filled.product).toMatchObject({ name: "Shuttle", stock: 4, price: dearer, version: 3 });
  });

  test("an update of what does not exist or may not be empty is refused by name", async () => {
    await using shop = await open();
    await shop.catalog.createProduct(shuttle);
    const update = (...paths: string[]) =>
      shop.catalog.updateProduct({ product: { sku: "ABC" }, updateMask: mask(...paths) });
    await expectError(update("prize", "price.units"), {
      code: Code.InvalidArgument,
      fields: ["update_mask", "update_mask"],
    });
    await expectError(update("name", "price"), {
      code: Code.InvalidArgument,
      fields: ["product.name", "product.price"],
    });
    const nameless = shop.catalog.updateProduct({ product: { name: "x" } });
    await expectError(nameless, { code: Code.InvalidArgument, fields: ["product.sku"] });
  });

  test("an update that builds on an old version is ABORTED", async () => {
    await using shop = await open();
    await shop.catalog.createProduct(shuttle);
    await shop.catalog.updateProduct({ product: { sku: "ABC", stock: 2, version: 1 } });
    const stale = shop.catalog.updateProduct({ product: { sku: "ABC", stock: 1, version: 1 } });
    await expectError(stale, { code: Code.Aborted, reason: "VERSION_CONFLICT" });
  });

  test("the same request creates once, and with other content it is refused", async () => {
    await using shop = await open(2);
    const request = { ...shuttle, requestId: "r-1" };
    const [first, again] = await Promise.all([shop.catalog.createProduct(request), shop.second.createProduct(request)]);
    expect(again).toEqual(first);
    const reused = { code: Code.InvalidArgument, reason: "REQUEST_ID_REUSED", fields: ["request_id"] };
    await expectError(shop.catalog.createProduct({ ...request, stock: 9 }), reused);
  });

  test("a change or a deletion that is made again gets the first answer", async () => {
    await using shop = await open(2);
    await shop.catalog.createProduct(shuttle);
    const change = { product: { sku: "ABC", stock: 2, version: 1 }, requestId: "r-1" };
    const [changed, again] = await Promise.all([shop.catalog.updateProduct(change), shop.second.updateProduct(change)]);
    expect(again).toEqual(changed);
    expect(changed.product).toMatchObject({ stock: 2, version: 2 });
    const reused = { code: Code.InvalidArgument, reason: "REQUEST_ID_REUSED", fields: ["request_id"] };
    await expectError(shop.catalog.deleteProduct({ sku: "ABC", requestId: "r-1" }), reused);
    await shop.catalog.deleteProduct({ sku: "ABC", requestId: "r-2" });
    await shop.second.deleteProduct({ sku: "ABC", requestId: "r-2" });
    expect(await shop.second.updateProduct(change)).toEqual(changed);
    await expectError(shop.catalog.deleteProduct({ sku: "ABC", requestId: "r-3" }), { code: Code.NotFound });
  });

  test("an empty catalog is seeded once, also when replicas start together", async () => {
    await using shop = await open(2);
    const added = await Promise.all(shop.stores.map((store) => seed(store, clock.now())));
    expect(added.toSorted()).toEqual([0, 5]);
    expect((await shop.catalog.getProduct({ sku: "ABC" })).product?.price).toMatchObject(price);
  });

  test("a catalog that has products is not seeded", async () => {
    await using shop = await open();
    await shop.catalog.createProduct({ ...shuttle, sku: "MINE" });
    for (const store of shop.stores) expect(await seed(store, clock.now())).toBe(0);
  });
}
