import { Code } from "@connectrpc/connect";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { endpointAt } from "../mesh/resolve/static.ts";
import { meshMetrics } from "./mesh-metrics.ts";
import { createMetrics } from "./metrics.ts";
import { serverMetrics } from "./server-metrics.ts";

const method = UserService.method.getUser;

/** The lines of a registry that begin with `name`, without the buckets. */
async function lines(registry: Registry, name: string): Promise<string[]> {
  const all = (await registry.metrics()).split("\n");
  return all.filter((line) => line.startsWith(name) && !line.includes("_bucket"));
}

test("a server's calls are counted by code, timed in seconds, and known while under way", async () => {
  const registry = new Registry();
  const hooks = serverMetrics(registry);
  hooks.callStarted?.(method);
  hooks.callStarted?.(method);
  expect(await lines(registry, "heddle_server_calls_in_flight")).toEqual(["heddle_server_calls_in_flight 2"]);
  hooks.callEnded?.({ method, code: undefined, durationMs: 250 });
  hooks.callEnded?.({ method, code: Code.NotFound, durationMs: 250 });
  const labels = 'service="shop.user.v1.UserService",method="GetUser"';
  expect(await lines(registry, "heddle_server_call")).toEqual([
    `heddle_server_calls_total{${labels},code="OK"} 1`,
    `heddle_server_calls_total{${labels},code="NOT_FOUND"} 1`,
    `heddle_server_call_duration_seconds_sum{${labels}} 0.5`,
    `heddle_server_call_duration_seconds_count{${labels}} 2`,
    "heddle_server_calls_in_flight 0",
  ]);
});

test("a mesh's calls and their attempts are counted apart", async () => {
  const registry = new Registry();
  const hooks = meshMetrics(registry);
  const attempt = { method, endpoint: endpointAt("127.0.0.1:1"), durationMs: 1 };
  hooks.attemptEnded?.({ ...attempt, attempt: 1, code: Code.Unavailable, fault: "black hole" });
  hooks.attemptEnded?.({ ...attempt, attempt: 2, code: undefined });
  hooks.callEnded?.({ method, code: undefined, durationMs: 2 });
  const labels = 'service="shop.user.v1.UserService",method="GetUser"';
  expect(await lines(registry, "heddle_client_attempts")).toEqual([
    `heddle_client_attempts_total{${labels},endpoint="127.0.0.1:1",code="UNAVAILABLE"} 1`,
    `heddle_client_attempts_total{${labels},endpoint="127.0.0.1:1",code="OK"} 1`,
  ]);
  expect(await lines(registry, "heddle_client_faults")).toEqual([
    `heddle_client_faults_total{${labels},fault="black hole"} 1`,
  ]);
  expect(await lines(registry, "heddle_client_calls")).toEqual([`heddle_client_calls_total{${labels},code="OK"} 1`]);
});

test("the registry tells of the process, with its labels on every line", async () => {
  const registry = createMetrics({ service: "user" });
  expect((await lines(registry, "nodejs_version_info"))[0]).toContain('service="user"');
});
