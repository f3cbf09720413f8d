import type { Client } from "@connectrpc/connect";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import type { Mesh } from "../../mesh/mesh.ts";

/** Clients of the shop, and somebody to order. */
export interface Shop {
  readonly users: Client<typeof UserService>;
  readonly catalog: Client<typeof CatalogService>;
  readonly orders: Client<typeof OrderService>;
  readonly userId: bigint;
}

/** Creates a user, through the mesh. The catalog has what its seed puts there. */
export async function openShop(mesh: Mesh): Promise<Shop> {
  const [users, catalog, orders] = [mesh.client(UserService), mesh.client(CatalogService), mesh.client(OrderService)];
  const { user } = await users.createUser({ name: "Ada", email: "ada@example.com" });
  if (user === undefined) throw new Error("a user was created and not returned");
  return { users, catalog, orders, userId: user.id };
}

/** The ids of all orders there are, in the order of the pages. */
export async function allOrderIds({ orders }: Shop): Promise<string[]> {
  const ids: string[] = [];
  for (let pageToken = ""; ; ) {
    const page = await orders.listOrders({ pageSize: 1_000, pageToken });
    ids.push(...page.orders.map(({ id }) => id));
    if (page.nextPageToken === "") return ids;
    pageToken = page.nextPageToken;
  }
}
