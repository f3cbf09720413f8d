import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CustomHttpPatternSchema, HttpRuleSchema } from "../../../gen/google/api/http_pb.ts";
import { ConsulService } from "../../../gen/heddle/discovery/v1/consul_pb.ts";
import { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { type ScratchMethod, scratchService } from "../../testing/scratch-contract.ts";
import { transcoder } from "../transcoder.ts";
import { bindingsOf } from "./rules.ts";

function load(...methods: readonly ScratchMethod[]): void {
  transcoder({ services: [scratchService(...methods)], transport: createRouterTransport(() => {}) });
}

function get(path: string, more: MessageInitShape<typeof HttpRuleSchema> = {}) {
  return create(HttpRuleSchema, { pattern: { case: "get", value: path }, ...more });
}

test("the rules of all our contracts load side by side", () => {
  const services = [UserService, OrderService, CatalogService, DiscoveryService, ConsulService];
  transcoder({ services, transport: createRouterTransport(() => {}) });
  expect(bindingsOf(UserService).map((b) => `${b.httpMethod} ${b.template.source} ${b.method.name}`)).toEqual([
    "GET /v1/users ListUsers",
    "GET /v1/users/{id} GetUser",
    "POST /v1/users CreateUser",
    "PATCH /v1/users/{user.id} UpdateUser",
    "PUT /v1/users/{user.id} UpdateUser",
    "DELETE /v1/users/{id} DeleteUser",
    "GET /v1/users/{user_id}/order-list ListUserOrders",
  ]);
});

const created = (location: string) => ({ created: { location } });
const refused: readonly (readonly [why: string, method: Omit<ScratchMethod, "name">, reason: string])[] = [
  ["a path outside the grammar", { rule: get("/v1/{name") }, 'path template "/v1/{name": expected "}" at position 9'],
  [
    "a variable that is no field",
    { rule: get("/v1/{nmae}") },
    'path variable "nmae": scratch.v1.Everything has no field',
  ],
  ["a nested variable that is no field", { rule: get("/v1/{inner.x}") }, 'scratch.v1.Inner has no field "x"'],
  ["a variable below a scalar", { rule: get("/v1/{name.x}") }, '"x" lies below a field that holds none'],
  ["a repeated variable", { rule: get("/v1/{tags}") }, 'path variable "tags": its type cannot stand in a path'],
  ["a map as variable", { rule: get("/v1/{counts}") }, "its type cannot stand in a path"],
  ["a message as variable", { rule: get("/v1/{inner}") }, "its type cannot stand in a path"],
  ["a variable below a list", { rule: get("/v1/{inners.label}") }, "lies below a field that holds none"],
  [
    "a body that is no field",
    { rule: get("/v1/x", { body: "inenr" }) },
    'body: scratch.v1.Everything has no field "inenr"',
  ],
  [
    "a response_body that is no field",
    { rule: get("/v1/x", { responseBody: "y" }) },
    'response_body: scratch.v1.Everything has no field "y"',
  ],
  [
    "a field in body and path",
    { rule: get("/v1/{name}", { body: "name" }) },
    '"name" is both the body and in the path',
  ],
  [
    "nested additional bindings",
    { rule: get("/v1/x", { additionalBindings: [get("/v1/y", { additionalBindings: [get("/v1/z")] })] }) },
    "additional_bindings may not be nested",
  ],
  [
    "an additional binding without a path",
    { rule: get("/v1/x", { additionalBindings: [create(HttpRuleSchema)] }) },
    "without a path",
  ],
  [
    "a custom method that is none",
    {
      rule: create(HttpRuleSchema, {
        pattern: { case: "custom", value: create(CustomHttpPatternSchema, { kind: "A B", path: "/v1/x" }) },
      }),
    },
    '"A B" is no HTTP method',
  ],
  [
    "a location outside the grammar",
    { rule: get("/v1/x"), policy: created("v1/x") },
    'path template "v1/x": expected "/"',
  ],
  [
    "a location of no field",
    { rule: get("/v1/x"), policy: created("/v1/x/{idd}") },
    'path variable "idd": scratch.v1.Everything has no field "idd"',
  ],
  [
    "a location that is no scalar",
    { rule: get("/v1/x"), policy: created("/v1/x/{created_at}") },
    'created.location: "created_at" is not a scalar',
  ],
  [
    "a location with a hole",
    { rule: get("/v1/x"), policy: created("/v1/*/{name}") },
    "a wildcard outside a variable has no value",
  ],
];

test.each(refused)("%s is refused when loaded, naming the method", (_, method, reason) => {
  const attempt = () => load({ name: "Faulty", ...method });
  expect(attempt).toThrow("scratch.v1.ScratchService.Faulty: ");
  expect(attempt).toThrow(reason);
});

test("two methods that claim one route are refused, naming both and the path", () => {
  const attempt = () =>
    load({ name: "First", rule: get("/v1/x/{name}") }, { name: "Second", rule: get("/v1/x/{left}") });
  expect(attempt).toThrow(
    "scratch.v1.ScratchService.Second: GET /v1/x/{left} belongs to scratch.v1.ScratchService.First already (as /v1/x/{name})",
  );
});

test("a method whose requests are a stream has its GET rules, for WebSockets, and one without a rule none", () => {
  const post = { pattern: { case: "post", value: "/v1/up" }, body: "*" } as const;
  const service = scratchService(
    { name: "Up", rule: { ...post, additionalBindings: [get("/v1/up/{name}")] }, clientStreaming: true },
    { name: "Bare", rule: {} },
  );
  expect(bindingsOf(service).map((b) => `${b.httpMethod} ${b.template.source}`)).toEqual(["GET /v1/up/{name}"]);
});
