import { experimental } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { StatusCode } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { PolicyError } from "../call/policy.ts";
import { askService } from "../test/suites/asked-contract.ts";
import { attemptConfigFor, serviceConfigFor } from "./service-config.ts";

const service = "shop.user.v1.UserService";
const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: "0.025s",
  maxBackoff: "0.25s",
  backoffMultiplier: 2,
  retryableStatusCodes: ["UNAVAILABLE"],
};

test("the user contract becomes exactly this service config", () => {
  expect(serviceConfigFor(UserService)).toEqual({
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: [
      { name: [{ service, method: "ListUsers" }], timeout: { seconds: 2, nanos: 0 }, retryPolicy },
      { name: [{ service, method: "GetUser" }], timeout: { seconds: 1, nanos: 0 }, retryPolicy },
      { name: [{ service, method: "CreateUser" }], timeout: { seconds: 2, nanos: 0 } },
      { name: [{ service, method: "UpdateUser" }], timeout: { seconds: 2, nanos: 0 } },
      { name: [{ service, method: "DeleteUser" }], timeout: { seconds: 2, nanos: 0 } },
      { name: [{ service, method: "ListUserOrders" }], timeout: { seconds: 2, nanos: 0 }, retryPolicy },
    ],
    retryThrottling: { maxTokens: 60, tokenRatio: 0.2 },
  });
});

test("a stream without a deadline in the contract gets none", () => {
  const watch = serviceConfigFor(OrderService).methodConfig.find(({ name }) => name[0]?.method === "WatchOrder");
  expect(watch?.timeout).toBeUndefined();
});

test("a client that repeats by itself gets the timeout of one attempt and no retry policy", () => {
  const { methodConfig, retryThrottling } = attemptConfigFor(UserService);
  expect(retryThrottling).toBeUndefined();
  expect(methodConfig.slice(0, 3)).toEqual([
    { name: [{ service, method: "ListUsers" }], timeout: { seconds: 0, nanos: 900_000_000 } },
    { name: [{ service, method: "GetUser" }], timeout: { seconds: 0, nanos: 400_000_000 } },
    { name: [{ service, method: "CreateUser" }], timeout: { seconds: 2, nanos: 0 } }, // sent once: nobody fills request_id
  ]);
});

test("a fixed hedging delay becomes a hedging policy, and then there is no retry policy", () => {
  const after = { case: "afterDelay", value: { nanos: 80_000_000 } } as const;
  expect(askConfig({ hedge: { after, maxExtra: 2 } })).toEqual({
    name: [{ service: "asked.v1.AskService", method: "Ask" }],
    timeout: { seconds: 5, nanos: 0 },
    hedgingPolicy: { maxAttempts: 3, hedgingDelay: "0.08s", nonFatalStatusCodes: ["UNAVAILABLE"] },
  });
});

test("a hedge by percentile, which gRPC cannot measure, falls back to repeats", () => {
  const config = askConfig({ hedge: { after: { case: "afterPercentile", value: 95 }, maxExtra: 1 } });
  expect(config?.hedgingPolicy).toBeUndefined();
  expect(config?.retryPolicy).toEqual(retryPolicy);
});

test("the contract's own numbers and codes arrive, less those that gRPC would take for more than they say", () => {
  const codes = [StatusCode.ABORTED, StatusCode.RESOURCE_EXHAUSTED, StatusCode.DEADLINE_EXCEEDED];
  const retry = { maxAttempts: 5, initialBackoff: { nanos: 1_000_000 }, maxBackoff: { seconds: 10n }, codes };
  expect(askConfig({ retry, timeout: { seconds: 20n, nanos: 250_000_000 } })).toMatchObject({
    timeout: { seconds: 20, nanos: 250_000_000 },
    retryPolicy: { maxAttempts: 5, initialBackoff: "0.001s", maxBackoff: "10s", retryableStatusCodes: ["ABORTED"] },
  });
});

test("gRPC's least number of attempts is two: a contract with one has no retry policy", () => {
  expect(askConfig({ retry: { maxAttempts: 1 } })?.retryPolicy).toBeUndefined();
});

test("a contract that contradicts itself is refused with the method's name", () => {
  expect(() => askConfig({ retry: { maxAttempts: 6 } })).toThrow(PolicyError);
  expect(() => askConfig({ retry: { maxAttempts: 6 } })).toThrow("asked.v1.AskService/Ask");
});

test("grpc-js knows the balancer by that name", () => {
  const [config = {}] = serviceConfigFor(UserService).loadBalancingConfig;
  expect(Object.keys(config).every(experimental.isLoadBalancerNameRegistered)).toBe(true);
});

function askConfig(policy: Parameters<typeof askService>[0]) {
  return serviceConfigFor(askService(policy)).methodConfig[0];
}
