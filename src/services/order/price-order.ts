import { create } from "@bufbuild/protobuf";
import { type Money, MoneySchema } from "../../../gen/google/type/money_pb.ts";
import type { Product } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import type { NewOrderItem } from "../../../gen/shop/order/v1/order_pb.ts";
import { failedPrecondition } from "../../call/errors.ts";
import { currenciesOf, MoneyOverflow, sum, times } from "./money.ts";
import type { Line } from "./order-entity.ts";
import { domain, type NewOrder } from "./order-repository.ts";

/** What an order costs, line by line and in all. */
export type Priced = Pick<NewOrder, "lines" | "currency" | "totalUnits" | "totalNanos">;

/**
 * Prices the items with the products found for them, in the same order. FAILED_PRECONDITION when the prices are in
 * several currencies, or when the total is more than money can say.
 */
export function priceOrder(items: readonly NewOrderItem[], products: readonly Product[]): Priced {
  const prices = products.map((product) => product.price ?? create(MoneySchema));
  const currencies = currenciesOf(prices);
  const [currency = ""] = currencies;
  if (currencies.length > 1) throw mixed(currencies);
  const total = totalOf(items, prices);
  return {
    lines: items.map((item, at) => line(item, prices[at])),
    currency,
    totalUnits: total.units,
    totalNanos: total.nanos,
  };
}

function totalOf(items: readonly NewOrderItem[], prices: readonly Money[]): Money {
  try {
    return sum(prices.map((price, at) => times(price, items[at]?.qty ?? 0)));
  } catch (reason) {
    if (!(reason instanceof MoneyOverflow)) throw reason;
    throw failedPrecondition(`the total is too large: ${reason.message}`, { reason: "TOTAL_TOO_LARGE", domain });
  }
}

function line({ sku, qty }: NewOrderItem, price: Money | undefined): Line {
  return { sku, qty, priceUnits: String(price?.units ?? 0n), priceNanos: price?.nanos ?? 0 };
}

function mixed(currencies: readonly string[]) {
  const metadata = { currencies: currencies.join(",") };
  const message = `the items have prices in several currencies: ${currencies.join(", ")}`;
  return failedPrecondition(message, { reason: "MIXED_CURRENCIES", domain, metadata });
}
