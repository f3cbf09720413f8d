import type { ServiceImpl } from "@connectrpc/connect";
import { CatalogService, type CreateProductRequest } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { invalidArgument } from "../../call/errors.ts";
import type { Store } from "../../store/orm.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { RequestAnswers } from "../../store/request-answers.ts";
import { productRequests } from "./product-entity.ts";
import { priceColumns, toProto } from "./product-mapping.ts";
import { type ProductValues, productRepository } from "./product-repository.ts";
import { readUpdate } from "./product-update.ts";

/** What the catalog needs. */
export interface CatalogServiceOptions {
  readonly store: Store;
  readonly clock?: Clock;
}

const listScope = "products";

/** shop.catalog.v1.CatalogService. Requests are already valid by the contract's rules. */
export function catalogService(options: CatalogServiceOptions): ServiceImpl<typeof CatalogService> {
  const { store, clock = systemClock } = options;
  const answers = new RequestAnswers({ store, rows: productRequests, clock });
  const { method } = CatalogService;
  return {
    async listProducts(request) {
      const page = readPage(request, listScope);
      const found = await store.read((em) => productRepository(em).list(page));
      const { rows, nextPageToken } = cutPage(found, page, listScope, ({ sku }) => sku);
      return { products: rows.map(toProto), nextPageToken };
    },

    async getProduct({ sku }) {
      return { product: toProto(await store.read((em) => productRepository(em).get(sku))) };
    },

    async batchGetProducts({ skus }) {
      const products = await store.read((em) => productRepository(em).getAll(skus));
      return { products: products.map(toProto) };
    },

    async createProduct(request) {
      const product = { sku: request.sku, ...readValues(request) };
      return answers.once({
        method: method.createProduct,
        request,
        work: async (em) => ({ product: toProto(await productRepository(em).add(product, clock.wall())) }),
        resource: {
          keyOf: (answer) => answer.product?.sku ?? "",
          find: async (em, key) => ({ product: toProto(await productRepository(em).get(key)) }),
        },
      });
    },

    async updateProduct(request) {
      const { sku, version, values } = readUpdate(request);
      return answers.once({
        method: method.updateProduct,
        request,
        work: async (em) => {
          const products = productRepository(em);
          const product = await products.getForChange(sku, version);
          await products.change(product, values, clock.wall());
          return { product: toProto(product) };
        },
      });
    },

    deleteProduct(request) {
      return answers.once({
        method: method.deleteProduct,
        request,
        work: async (em) => {
          await productRepository(em).remove(request.sku);
          return {};
        },
      });
    },
  };
}

function readValues({ name, description, price, stock }: CreateProductRequest): ProductValues {
  if (price === undefined) throw invalidArgument([{ field: "price", description: "has to be set" }]);
  return { name, description, stock, ...priceColumns(price) };
}
