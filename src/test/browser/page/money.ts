import type { Money } from "../../../../gen/google/type/money_pb.ts";

/** Money as people write it: "$19.98". Empty when there is none. */
export function moneyText(money: Money | undefined): string {
  if (money === undefined) return "";
  const value = Number(money.units) + money.nanos / 1e9;
  return new Intl.NumberFormat("en", { style: "currency", currency: money.currencyCode }).format(value);
}
