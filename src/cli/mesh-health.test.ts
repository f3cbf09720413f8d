import { expect, test } from "vitest";
import { notRouted } from "./mesh-health.ts";
import { plan } from "./plan.ts";

const parts = plan.filter(({ name }) => name === "user" || name === "gateway");
const healthy = { routes: ["shop.user.v1.UserService"], instances: [at(8001), at(8011)] };

const ports = (page: unknown) => notRouted(page, parts).map(({ port }) => port);

function at(port: number, status = "healthy") {
  return { address: `127.0.0.1:${port}`, status };
}

test("a gateway that shows every replica as healthy and has a route to them sees the whole mesh", () => {
  expect(ports({ services: { user: healthy } })).toEqual([]);
});

test.each([
  ["a replica that is missing", { user: { ...healthy, instances: [at(8001)] } }, [8011]],
  ["a replica that is not healthy", { user: { ...healthy, instances: [at(8001, "unknown"), at(8011)] } }, [8001]],
  ["replicas without a route", { user: { ...healthy, routes: [] } }, [8001, 8011]],
  ["a service that is unknown", {}, [8001, 8011]],
  ["services when there are none", undefined, [8001, 8011]],
])("it does not see %s", (_, services, missing) => {
  expect(ports({ services })).toEqual(missing);
});

test("discovery is seen although it has no route", () => {
  const discovery = plan.filter(({ name }) => name === "discovery");
  const page = { services: { discovery: { routes: [], instances: [at(8500)] } } };
  expect(notRouted(page, discovery)).toEqual([]);
  expect(notRouted({ services: { discovery: { routes: [], instances: [] } } }, discovery)).toEqual(discovery);
});

test("another program's page is not a gateway's", () => {
  for (const page of [null, "ok", [], { status: "up" }]) expect(ports(page)).toEqual([8001, 8011]);
});
