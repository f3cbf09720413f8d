import { restOk } from "../../test/integration/rest.ts";
import { eventually } from "../../testing/eventually.ts";
import type { Shop } from "./load.ts";

/** A shop that takes orders, by Heddle or by hand. */
export interface System extends AsyncDisposable {
  readonly name: string;
  readonly shop: Shop;
  /** How many orders have come to their end everywhere: known to the user service, their stock sold. */
  ended(): Promise<number>;
  /** From commit to effect, in milliseconds, of the orders that the user service has learned of since then. */
  delaysMs(since: Date): Promise<readonly number[]>;
}

/** Services start all at once, on a machine that may be busy. */
const startLimit = { withinMs: 60_000 };

/** The users and products that are ordered by and of. */
export async function fill(gateway: string, headers: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const userIds: string[] = [];
  const first = { name: "User 0", email: "user-0@example.com" };
  const made = await eventually("the gateway takes users", () => restOk(gateway, "/v1/users", first), startLimit);
  userIds.push(String(made.id));
  for (let n = 1; n < 50; n++) {
    const user = await restOk(gateway, "/v1/users", { name: `User ${n}`, email: `user-${n}@example.com` });
    userIds.push(String(user.id));
  }
  const skus = Array.from({ length: 50 }, (_, n) => `SKU-${n}`);
  for (const sku of skus) {
    const price = { currencyCode: "EUR", units: "9", nanos: 990_000_000 };
    await restOk(gateway, "/v1/products", { sku, name: sku, price, stock: 1_000_000 }, headers);
  }
  return { gateway, userIds, skus };
}
