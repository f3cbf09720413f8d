import { Code } from "@connectrpc/connect";
import { Counter, Registry } from "prom-client";
import { expect, test } from "vitest";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import { CallCounts } from "./call-counts.ts";

const method = UserService.method.getUser;
const labels = 'service="shop.user.v1.UserService",method="GetUser"';

function openCounter() {
  const registry = new Registry();
  const counts = new CallCounts();
  const labelNames = ["service", "method", "endpoint", "code"];
  new Counter({ name: "n", help: "Some.", labelNames, registers: [registry], collect: () => counts.tell(counter()) });
  const counter = () => registry.getSingleMetric("n") as Counter;
  const lines = async () => (await registry.metrics()).split("\n").filter((line) => line.startsWith("n{"));
  return { counts, lines };
}

test("what was told once is not told again, however often the counter is read", async () => {
  const { counts, lines } = openCounter();
  counts.add(method, undefined);
  counts.add(method, undefined);
  const told = [`n{${labels},code="OK"} 2`];
  expect(await lines()).toEqual(told);
  expect(await lines()).toEqual(told);
  counts.add(method, undefined);
  expect(await lines()).toEqual([`n{${labels},code="OK"} 3`]);
});

test("codes and endpoints are counted apart, and a method that is described anew goes on as the same", async () => {
  const { counts, lines } = openCounter();
  counts.add(method, Code.NotFound, "a:1");
  counts.add(method, undefined, "a:1");
  counts.add({ ...method }, undefined, "a:1");
  counts.add(method, undefined, "b:1");
  expect(await lines()).toEqual([
    `n{${labels},endpoint="a:1",code="NOT_FOUND"} 1`,
    `n{${labels},endpoint="a:1",code="OK"} 2`,
    `n{${labels},endpoint="b:1",code="OK"} 1`,
  ]);
});
