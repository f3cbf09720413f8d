import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import { BreakerPreset, Criticality, StatusCode } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { CatalogService } from "../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { contract, type MadeMethod } from "../testing/contract.ts";
import { assertPolicies, methodPolicy } from "./policy.ts";

/** The policy of a single method made on the spot. */
function policyOf(method: Omit<MadeMethod, "name">, defaults?: MadeMethod["policy"]) {
  const service = contract([{ name: "Do", ...method }], defaults && { defaults });
  assertPolicies(service);
  const [made] = service.methods;
  if (made === undefined) throw new Error("no method");
  return methodPolicy(made);
}

const seconds = (count: number) => ({ seconds: BigInt(count) });

test.each([UserService, OrderService, CatalogService, DiscoveryService])(
  "the contract of $typeName agrees with itself",
  (service) => {
    assertPolicies(service);
  },
);

test("a contract that says nothing has the defaults of the design", () => {
  const policy = policyOf({ idempotency: "read-only" });
  expect(policy).toEqual({
    timeoutMs: 5_000,
    retry: {
      maxAttempts: 3,
      perAttemptTimeoutMs: undefined,
      initialBackoffMs: 25,
      maxBackoffMs: 250,
      codes: new Set([Code.Unavailable, Code.ResourceExhausted, Code.DeadlineExceeded]),
      maxDepth: 1,
    },
    hedge: undefined,
    breaker: {
      consecutiveFailures: 5,
      minSuccessRatio: 0.5,
      minCalls: 10,
      openMs: 1_000,
      maxOpenMs: 60_000,
      maxSlowRatio: 0.8,
      slowFactor: 3,
    },
    concurrency: { maxInFlight: 256, maxQueued: 128 },
    criticality: "normal",
    access: undefined,
    rateLimit: undefined,
    cache: undefined,
    createdLocation: undefined,
    fallback: undefined,
  });
});

test("what may change something is sent once, and a stream has no deadline", () => {
  expect(policyOf({}).retry.maxAttempts).toBe(1);
  expect(policyOf({ idempotency: "idempotent" }).retry.maxAttempts).toBe(3);
  expect(policyOf({ stream: true }).timeoutMs).toBeUndefined();
});

test("a real method has what its contract says, and its service's word for the rest", () => {
  expect(methodPolicy(UserService.method.getUser)).toMatchObject({
    timeoutMs: 1_000,
    retry: { maxAttempts: 3, perAttemptTimeoutMs: 400 },
  });
  expect(methodPolicy(UserService.method.listUsers).timeoutMs).toBe(2_000);
  expect(methodPolicy(UserService.method.createUser)).toMatchObject({
    retry: { maxAttempts: 3, perAttemptTimeoutMs: 900 },
    criticality: "critical",
    createdLocation: "/v1/users/{user.id}",
  });
});

test("a service's timeout is for its calls: a stream ends by time only if it says so itself", () => {
  expect(policyOf({ stream: true }, { timeout: seconds(2) }).timeoutMs).toBeUndefined();
  expect(policyOf({ stream: true, policy: { timeout: seconds(9) } }, { timeout: seconds(2) }).timeoutMs).toBe(9_000);
  expect(methodPolicy(OrderService.method.watchOrder).timeoutMs).toBeUndefined();
});

test("a part that the method states is taken whole, the others come from the service", () => {
  const defaults = {
    timeout: seconds(2),
    retry: { maxAttempts: 5, initialBackoff: seconds(1), maxBackoff: seconds(4) },
    concurrency: { maxInFlight: 7 },
    criticality: Criticality.SHEDDABLE,
    access: { scopes: ["a"] },
    rateLimit: { calls: 10 },
  };
  const policy = policyOf({ idempotency: "idempotent", policy: { retry: { maxAttempts: 2 } } }, defaults);
  expect(policy).toMatchObject({
    timeoutMs: 2_000,
    retry: { maxAttempts: 2, initialBackoffMs: 25, maxBackoffMs: 250 },
    concurrency: { maxInFlight: 7, maxQueued: 128 },
    criticality: "sheddable",
    access: { scopes: ["a"], anonymous: false },
    rateLimit: { calls: 10, periodMs: 1_000, burst: 10 },
  });
});

test("a service's retries, hedges and caching reach only methods for which they make sense", () => {
  const defaults = {
    retry: { maxAttempts: 4 },
    hedge: { after: { case: "afterPercentile" as const, value: 95 } },
    cache: { maxAge: seconds(1) },
  };
  expect(policyOf({}, defaults)).toMatchObject({ retry: { maxAttempts: 1 }, hedge: undefined, cache: undefined });
  expect(policyOf({ idempotency: "idempotent" }, defaults)).toMatchObject({
    retry: { maxAttempts: 4 },
    hedge: { after: { percentile: 95 }, maxExtra: 1 },
    cache: undefined,
  });
  expect(policyOf({ idempotency: "read-only", stream: true }, defaults).hedge).toBeUndefined();
  expect(policyOf({ idempotency: "read-only" }, defaults).cache).toEqual({ maxAgeMs: 1_000, private: false });
});

test("everything a contract may state is read, in milliseconds and shares of one", () => {
  const policy = policyOf({
    idempotency: "read-only",
    policy: {
      timeout: { nanos: 500_000_000 },
      retry: {
        maxAttempts: 5,
        perAttemptTimeout: { nanos: 100_000_000 },
        initialBackoff: { nanos: 5_000_000 },
        maxBackoff: { nanos: 50_000_000 },
        codes: [StatusCode.UNAVAILABLE, StatusCode.ABORTED],
        maxDepth: 2,
      },
      hedge: { after: { case: "afterDelay", value: { nanos: 20_000_000 } }, maxExtra: 2 },
      breaker: {
        consecutiveFailures: 9,
        minSuccessPercent: 80,
        minCalls: 20,
        openTime: seconds(3),
        maxOpenTime: seconds(9),
        maxSlowPercent: 60,
        slowFactor: 4,
      },
      concurrency: { maxInFlight: 1, maxQueued: 2 },
      criticality: Criticality.CRITICAL,
      access: { anonymous: true },
      rateLimit: { calls: 5, period: seconds(60), burst: 50 },
      cache: { maxAge: seconds(2), private: true },
      created: { location: "/v1/texts/{text}" },
      fallback: { responseJson: '{"text": "nobody is there"}' },
    },
  });
  expect(policy).toEqual({
    timeoutMs: 500,
    retry: {
      maxAttempts: 5,
      perAttemptTimeoutMs: 100,
      initialBackoffMs: 5,
      maxBackoffMs: 50,
      codes: new Set([Code.Unavailable, Code.Aborted]),
      maxDepth: 2,
    },
    hedge: { after: { delayMs: 20 }, maxExtra: 2 },
    breaker: {
      consecutiveFailures: 9,
      minSuccessRatio: 0.8,
      minCalls: 20,
      openMs: 3_000,
      maxOpenMs: 9_000,
      maxSlowRatio: 0.6,
      slowFactor: 4,
    },
    concurrency: { maxInFlight: 1, maxQueued: 2 },
    criticality: "critical",
    access: { scopes: [], anonymous: true },
    rateLimit: { calls: 5, periodMs: 60_000, burst: 50 },
    cache: { maxAgeMs: 2_000, private: true },
    createdLocation: "/v1/texts/{text}",
    fallback: expect.objectContaining({ text: "nobody is there" }),
  });
});

test("the classic breaker opens after 3 in a row for 30 s; single numbers can be changed on top of a preset", () => {
  const classic = { preset: BreakerPreset.CLASSIC };
  expect(policyOf({ policy: { breaker: classic } }).breaker).toEqual({
    consecutiveFailures: 3,
    minSuccessRatio: undefined,
    minCalls: 10,
    openMs: 30_000,
    maxOpenMs: 30_000,
    maxSlowRatio: undefined,
    slowFactor: 3,
  });
  const longer = policyOf({ policy: { breaker: { ...classic, openTime: seconds(90) } } }).breaker;
  expect(longer).toMatchObject({ consecutiveFailures: 3, openMs: 90_000, maxOpenMs: 90_000 });
});

test("a policy is read once", () => {
  expect(methodPolicy(UserService.method.getUser)).toBe(methodPolicy(UserService.method.getUser));
});
