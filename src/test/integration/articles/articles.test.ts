import { join } from "node:path";
import { expect, onTestFailed, test } from "vitest";
import plan from "../../../cli/aggregates.json" with { type: "json" };
import { eventually } from "../../../testing/eventually.ts";
import { openCluster } from "../../../testing/open-cluster.ts";
import { run } from "../peers/run.ts";
import { restOk } from "../rest.ts";

/** The Python that `make test-integration` sees to; its requests is the one that pip brings along. */
function python(): string {
  const file = process.env.HEDDLE_TEST_PYTHON;
  if (!file) throw new Error("HEDDLE_TEST_PYTHON is not set: run this by `make test-integration`, which makes it");
  return file;
}

test("the articles' own clients, in Python, do all that they do, through the gateway and the registry", async () => {
  const replicas = { user: 2, catalog: 1, order: 2, gateway: 1 };
  const envOf = { catalog: { SEED: "true" }, gateway: { AGGREGATES: JSON.stringify(plan) } };
  await using cluster = await openCluster({ replicas, envOf, onFailure: onTestFailed });
  const gateway = cluster.replica("gateway").address;
  for (const path of ["/v1/users", "/v1/products", "/v1/orders"]) {
    await eventually(`the gateway knows ${path}`, () => restOk(gateway, path));
  }
  const client = join(import.meta.dirname, "clients.py");
  const ran = await run([python(), client, `http://${gateway}`, `http://${cluster.discoveryAddress}`]);
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(ran.stdout)).toEqual({
    created: [201, "/api/users/1", "int"],
    found: true,
    changed: [200, "Alice B.", expect.stringMatching(/^@\d+$/)],
    taken: 409,
    too_long: 400,
    order: {
      user_id: 1,
      status: "pending",
      items: [{ sku: "ABC", qty: 2, price: expect.objectContaining({ currency_code: "EUR" }) }],
      total: expect.objectContaining({ currency_code: "EUR" }),
    },
    order_again: ["confirmed", true, true],
    no_order: null,
    no_user: [404, "user 999999 does not exist"],
    overview: [["orders", "products", "user"], ["ABC"]],
    unknown_service: 404,
    wrong_method: 405,
    health: { catalog: "healthy", discovery: "healthy", gateway: "healthy", order: "healthy", user: "healthy" },
    gone: [200, 404],
    registered: 200,
    discovered: true,
  });
});
