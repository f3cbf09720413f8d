import { expect, test } from "vitest";
import { sumOfCalls } from "./metrics-text.ts";

test("calls are summed over methods and codes; health checks and reflection do not count", () => {
  const page = [
    "# HELP heddle_server_calls_total Calls answered, by their code.",
    "# TYPE heddle_server_calls_total counter",
    'heddle_server_calls_total{service="shop.user.v1.UserService",method="GetUser",code="OK"} 40',
    'heddle_server_calls_total{service="shop.user.v1.UserService",method="GetUser",code="NOT_FOUND"} 2',
    'heddle_server_calls_total{service="grpc.health.v1.Health",method="Check",code="OK"} 1000',
    'heddle_server_calls_total{code="OK",service="grpc.reflection.v1.ServerReflection"} 7',
    'heddle_server_call_duration_seconds_count{service="shop.user.v1.UserService"} 42',
  ].join("\n");
  expect(sumOfCalls(page)).toBe(42);
});

test("an instance that was not called has answered none", () => {
  expect(sumOfCalls("")).toBe(0);
});
