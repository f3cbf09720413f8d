import { expect, test } from "vitest";
import { EventService } from "../../gen/heddle/event/v1/event_service_pb.ts";
import { CatalogService } from "../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../gen/shop/user/v1/user_pb.ts";
import type { Resolver } from "../mesh/resolve/resolver.ts";
import { staticResolver } from "../mesh/resolve/static.ts";
import { publisherResolver } from "./publisher-resolver.ts";

const known = staticResolver({
  [OrderService.typeName]: ["orders:1", "orders:2"],
  [UserService.typeName]: ["users:1"],
  [EventService.typeName]: ["anybody:1"],
});

function addresses(resolver: Resolver, service: string) {
  const { value } = resolver.resolve(service);
  return value.kind === "pending" ? [] : value.endpoints.map(({ address }) => address);
}

test("a publisher's log is found where its own service is, though every publisher has one", () => {
  expect(addresses(publisherResolver(known, OrderService), EventService.typeName)).toEqual(["orders:1", "orders:2"]);
  expect(addresses(publisherResolver(known, UserService), EventService.typeName)).toEqual(["users:1"]);
  expect(addresses(publisherResolver(known, CatalogService), EventService.typeName)).toEqual([]);
});

test("other services are found where they are", () => {
  expect(addresses(publisherResolver(known, OrderService), UserService.typeName)).toEqual(["users:1"]);
});

test("what cannot be reached is looked for again by the publisher's own name, and closing leaves the others their resolver", async () => {
  const said: string[] = [];
  const watched = {
    ...known,
    lookAgain: (service: string) => void said.push(service),
    [Symbol.asyncDispose]: async () => void said.push("closed"),
  };
  await using resolver = publisherResolver(watched, OrderService);
  resolver.lookAgain?.(EventService.typeName);
  await resolver[Symbol.asyncDispose]();
  expect(said).toEqual([OrderService.typeName]);
});
