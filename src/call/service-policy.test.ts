import { expect, test } from "vitest";
import { Balance } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { contract } from "../testing/contract.ts";
import { servicePolicy } from "./service-policy.ts";

test("a service that says nothing of itself has the defaults of the design", () => {
  expect(servicePolicy(contract([]))).toEqual({
    balance: "peak-ewma",
    routingHeader: undefined,
    zoneFirst: false,
    subsetSize: undefined,
    slowStartMs: 30_000,
    loadReports: false,
    loadReportIntervalMs: undefined,
  });
});

test("everything a service may say of itself is read", () => {
  const made = contract([], {
    balance: Balance.RING_HASH,
    routingHeader: "X-Tenant",
    zoneFirst: true,
    subsetSize: 20,
    slowStart: { seconds: 5n },
    loadReports: true,
    loadReportInterval: { seconds: 10n },
  });
  expect(servicePolicy(made)).toEqual({
    balance: "ring-hash",
    routingHeader: "x-tenant",
    zoneFirst: true,
    subsetSize: 20,
    slowStartMs: 5_000,
    loadReports: true,
    loadReportIntervalMs: 10_000,
  });
});

test.each([
  [Balance.ROUND_ROBIN, "round-robin"],
  [Balance.RANDOM, "random"],
  [Balance.LEAST_REQUEST, "least-request"],
  [Balance.PEAK_EWMA, "peak-ewma"],
  [Balance.WEIGHTED, "weighted"],
] as const)("balance %s is %s", (balance, name) => {
  expect(servicePolicy(contract([], { balance })).balance).toBe(name);
});
