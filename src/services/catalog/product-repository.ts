import { LockMode, UniqueConstraintViolationException } from "@mikro-orm/core";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { alreadyExists, conflict, failedPrecondition, invalidArgument, notFound } from "../../call/errors.ts";
import { changedAt } from "../../store/changed-at.ts";
import type { Page } from "../../store/page-token.ts";
import { Product } from "./product-entity.ts";
import { type ProductRow, readProducts } from "./product-rows.ts";
import { isReserved, soldSoFar } from "./reservations.ts";

/** Who says what goes wrong here. */
export const domain = "shop.catalog.v1";
/** The most that a count holds: of what was received, too, for all of it may come back and be free. */
const maxCount = 2 ** 31 - 1;

/** What may change of a product, as its row has it. */
export type ProductValues = Pick<Product, "name" | "description" | "currency" | "priceUnits" | "priceNanos" | "stock">;

/** Products, as one unit of work sees them. What is missing, taken or stale is an error by the time a method returns. */
export function productRepository(em: SqlEntityManager) {
  return {
    /** The product, or NOT_FOUND. */
    async get(sku: string): Promise<ProductRow> {
      const [product] = await readProducts(em, [sku]);
      return product ?? missing(sku);
    },

    /** The products in the order asked for, or NOT_FOUND with the first that is missing. */
    async getAll(skus: readonly string[]): Promise<ProductRow[]> {
      const found = await readProducts(em, skus);
      const bySku = new Map(found.map((product) => [product.sku, product]));
      return skus.map((sku) => bySku.get(sku) ?? missing(sku));
    },

    /** The product, kept from others until the unit ends: NOT_FOUND, or ABORTED unless at `version` (0: at any). */
    async getForChange(sku: string, version: number): Promise<Product> {
      const lockMode = LockMode.PESSIMISTIC_WRITE;
      const product = (await em.findOne(Product, { sku }, { lockMode })) ?? missing(sku);
      if (version === 0 || version === product.version) return product;
      throw conflict("product", sku, { expected: version, actual: product.version }, domain);
    },

    /** One row more than the page holds, by SKU. */
    list({ limit, after }: Page): Promise<Product[]> {
      const where = after === undefined ? {} : { sku: { $gt: after } };
      return em.find(Product, where, { orderBy: { sku: "asc" }, limit: limit + 1 });
    },

    /** Whether there is no product at all. */
    async isEmpty(): Promise<boolean> {
      return (await em.count(Product)) === 0;
    },

    /**
     * A new product, or ALREADY_EXISTS. Where there was one of its SKU before, what was sold of that still counts as
     * received, for it may come back.
     */
    async add(product: ProductValues & { readonly sku: string }, now: number): Promise<Product> {
      const at = new Date(now);
      const times = { createdAt: at, updatedAt: at };
      const added = em.create(Product, { ...product, received: product.stock, ...times });
      try {
        await em.flush();
      } catch (reason) {
        const taken = reason instanceof UniqueConstraintViolationException;
        throw taken ? alreadyExists("product", "sku", product.sku, domain) : reason;
      }
      const sold = await soldSoFar(em, product.sku);
      assertCountable(product.stock, sold);
      if (sold > 0) await em.nativeUpdate(Product, { sku: product.sku }, { received: product.stock + sold });
      return added;
    },

    /**
     * Changes what differs. A change that changes nothing leaves version and time as they are. More free stock than
     * before has been received, and less has gone.
     */
    async change(product: Product, values: Partial<ProductValues>, now: number): Promise<void> {
      const keys = Object.keys(values) as (keyof ProductValues)[];
      if (keys.every((key) => values[key] === product[key])) return;
      const { stock = product.stock } = values;
      const received = product.received + stock - product.stock;
      assertCountable(stock, received - stock);
      em.assign(product, { ...values, received, updatedAt: changedAt(product, now) });
      await em.flush();
    },

    /** Removes the product, or NOT_FOUND; FAILED_PRECONDITION while some of it is reserved for an order. */
    async remove(sku: string): Promise<void> {
      const lockMode = LockMode.PESSIMISTIC_WRITE;
      const product = (await em.findOne(Product, { sku }, { lockMode })) ?? missing(sku);
      if (await isReserved(em, sku)) throw reserved(sku);
      em.remove(product);
      await em.flush();
    },
  };
}

/** What is kept may be given back at any time: free stock has to leave room for it. */
function assertCountable(stock: number, kept: number): void {
  if (stock + kept <= maxCount) return;
  const description = `has to be ${maxCount - kept} at most, as ${kept} are reserved or sold and may come back`;
  throw invalidArgument([{ field: "stock", description }]);
}

function missing(sku: string): never {
  throw notFound("product", sku, domain);
}

function reserved(sku: string) {
  const message = `product ${sku} is reserved for an order that is being placed: delete it when that has ended`;
  return failedPrecondition(message, { reason: "PRODUCT_RESERVED", domain, metadata: { product: sku } });
}
