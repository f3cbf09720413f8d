import type { JsonValue } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Health } from "../../../gen/grpc/health/v1/health_pb.ts";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { seededRandom } from "../../base/random.ts";
import type { Fields } from "../../call/fields.ts";
import { type AttemptAtHand, faultFor, faultsOf } from "./decision.ts";
import { faultPlanOf } from "./plan.ts";

const planOf = (...faults: JsonValue[]) => faultPlanOf({ faults });
const attempt: AttemptAtHand = { endpoint: { id: "user-1", address: "10.0.0.1:80" }, fields: ["x-who", "ada"] };
const never = () => {
  throw new Error("no dice were to be thrown");
};

/** Whether a fault that says so much meets the attempt. */
function meets(fault: Record<string, JsonValue>, at: Partial<AttemptAtHand> = {}): boolean {
  const faults = faultsOf(planOf({ reset: {}, ...fault }), UserService.method.getUser);
  return faultFor(faults, { ...attempt, ...at }, never) !== undefined;
}

test("a fault that says nothing of whom it is for is for everyone, save what a mesh itself needs", () => {
  const plan = planOf({ reset: {} });
  for (const method of [UserService.method.getUser, OrderService.method.watchOrder]) {
    expect(faultsOf(plan, method)).toHaveLength(1);
  }
  expect(faultsOf(plan, Health.method.check)).toEqual([]);
  expect(faultsOf(plan, DiscoveryService.method.watch)).toEqual([]);
  expect(faultsOf(planOf({ reset: {}, service: Health.typeName }), Health.method.check)).toHaveLength(1);
});

test.each<[boolean, Record<string, JsonValue>]>([
  [true, { service: "shop.user.v1.UserService" }],
  [false, { service: "shop.order.v1.OrderService" }],
  [true, { method: "GetUser" }],
  [false, { method: "CreateUser" }],
  [false, { method: "getUser" }],
  [true, { endpoint: "10.0.0.1:80" }],
  [true, { endpoint: "user-1" }],
  [false, { endpoint: "10.0.0.1:8" }],
  [true, { header: { name: "x-who" } }],
  [true, { header: { name: "X-Who", value: "ada" } }],
  [false, { header: { name: "x-who", value: "Ada" } }],
  [false, { header: { name: "ada" } }],
  [true, { service: "shop.user.v1.UserService", method: "GetUser", endpoint: "user-1", header: { name: "x-who" } }],
  [false, { service: "shop.user.v1.UserService", method: "GetUser", endpoint: "user-2", header: { name: "x-who" } }],
])("that a fault meets the attempt is %s for %j", (expected, fault) => {
  expect(meets(fault)).toBe(expected);
});

test("a header that is there twice is met by either value", () => {
  const fields: Fields = ["x-who", "bob", "x-who", "ada"];
  expect(meets({ header: { name: "x-who", value: "ada" } }, { fields })).toBe(true);
  expect(meets({ header: { name: "x-who", value: "bob" } }, { fields })).toBe(true);
});

test("the first fault that fits is the one", () => {
  const plan = planOf({ method: "ListUsers", reset: {} }, { delay: "1s" }, { blackHole: {} });
  const faults = faultsOf(plan, UserService.method.getUser);
  expect(faults).toHaveLength(2);
  expect(faultFor(faults, attempt, never)?.what.case).toBe("delay");
});

test("none of 0 % and all of 100 % are met, without dice", () => {
  expect(meets({ sharePercent: 0 })).toBe(false);
  expect(meets({ sharePercent: 100 })).toBe(true);
});

test("of two faults of half the attempts the second meets half of what the first lets be", () => {
  const plan = planOf({ sharePercent: 50, delay: "1s" }, { sharePercent: 50, reset: {} });
  const faults = faultsOf(plan, UserService.method.getUser);
  const random = seededRandom(1);
  const counts = { delay: 0, reset: 0, none: 0 };
  for (let i = 0; i < 10_000; i++) {
    counts[(faultFor(faults, attempt, random)?.what.case ?? "none") as keyof typeof counts]++;
  }
  expect(counts.delay / 10_000).toBeCloseTo(0.5, 1);
  expect(counts.reset / 10_000).toBeCloseTo(0.25, 1);
  expect(counts.none / 10_000).toBeCloseTo(0.25, 1);
});

test("a share may be a fraction of a percent", () => {
  const faults = faultsOf(planOf({ sharePercent: 0.5, reset: {} }), UserService.method.getUser);
  expect(faultFor(faults, attempt, () => 0.0049)).toBeDefined();
  expect(faultFor(faults, attempt, () => 0.005)).toBeUndefined();
});
