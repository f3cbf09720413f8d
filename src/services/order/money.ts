import { create } from "@bufbuild/protobuf";
import { type Money, MoneySchema } from "../../../gen/google/type/money_pb.ts";

const nanosPerUnit = 1_000_000_000n;
const largestUnits = 2n ** 63n - 1n;

/** An amount that google.type.Money cannot hold. */
export class MoneyOverflow extends RangeError {
  override readonly name = "MoneyOverflow";

  constructor() {
    super(`the amount has more than ${largestUnits} units`);
  }
}

/** `price` times `qty`, to the last nano. */
export function times(price: Money, qty: number): Money {
  return fromNanos(toNanos(price) * BigInt(qty), price.currencyCode);
}

/** The sum of amounts in one currency, to the last nano. Several currencies have no sum: ask `currenciesOf` first. */
export function sum(amounts: readonly Money[]): Money {
  const [currency = "", ...others] = currenciesOf(amounts);
  if (others.length > 0) throw new TypeError(`no sum of ${[currency, ...others].join(" and ")}`);
  return fromNanos(
    amounts.reduce((total, amount) => total + toNanos(amount), 0n),
    currency,
  );
}

/** The currencies that occur, each once, in the order of their first. */
export function currenciesOf(amounts: readonly Money[]): readonly string[] {
  return [...new Set(amounts.map(({ currencyCode }) => currencyCode))];
}

function toNanos({ units, nanos }: Money): bigint {
  return units * nanosPerUnit + BigInt(nanos);
}

/** Division of bigint goes towards zero, so units and nanos have one sign, as Money asks. */
function fromNanos(total: bigint, currencyCode: string): Money {
  const units = total / nanosPerUnit;
  if (units > largestUnits || units < -largestUnits - 1n) throw new MoneyOverflow();
  return create(MoneySchema, { currencyCode, units, nanos: Number(total % nanosPerUnit) });
}
