import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { MoneySchema } from "../../../gen/google/type/money_pb.ts";
import { currenciesOf, MoneyOverflow, sum, times } from "./money.ts";

const money = (units: bigint, nanos = 0, currencyCode = "EUR") => create(MoneySchema, { units, nanos, currencyCode });

test("cents add up exactly where floats would not", () => {
  expect(sum([money(0n, 100_000_000), money(0n, 200_000_000)])).toEqual(money(0n, 300_000_000));
  expect(times(money(9n, 990_000_000), 10_000)).toEqual(money(99_900n));
});

test("nanos carry over into units", () => {
  expect(sum([money(1n, 999_999_999), money(0n, 1)])).toEqual(money(2n));
  expect(times(money(0n, 999_999_999), 3)).toEqual(money(2n, 999_999_997));
});

test("units and nanos keep one sign", () => {
  expect(sum([money(-2n), money(0n, 500_000_000)])).toEqual(money(-1n, -500_000_000));
});

test("what int64 cannot hold is an error, and the largest it can is not", () => {
  const largest = 2n ** 63n - 1n;
  expect(times(money(largest, 999_999_999), 1)).toEqual(money(largest, 999_999_999));
  expect(() => times(money(largest), 2)).toThrow(MoneyOverflow);
  expect(() => sum([money(largest, 999_999_999), money(0n, 1)])).toThrow(MoneyOverflow);
});

test("several currencies have no sum", () => {
  const mixed = [money(1n), money(1n, 0, "USD"), money(2n)];
  expect(currenciesOf(mixed)).toEqual(["EUR", "USD"]);
  expect(() => sum(mixed)).toThrow(/EUR and USD/);
});
