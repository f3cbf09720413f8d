import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { productRepository } from "../../../services/catalog/product-repository.ts";
import { userRepository } from "../../../services/user/user-repository.ts";
import { openStore } from "../../../store/orm.ts";
import { shopRows } from "./shop.ts";

/** The SQLite file of each service. */
export interface ShopFiles {
  readonly user: string;
  readonly catalog: string;
  readonly order: string;
}

/** Who orders. */
export const userIds = [1n, 2n, 3n] as const;

/** What they order: of the last product there is too little. */
export const skus = ["PLENTY", "ENOUGH", "SCARCE"] as const;
const stocks: Readonly<Record<(typeof skus)[number], number>> = { PLENTY: 1_000, ENOUGH: 60, SCARCE: 6 };

const names = ["user", "catalog", "order"] as const;
let template: Promise<string> | undefined;

/** Files of a world's own: migrated, with users and products. Closing them removes them. */
export async function openShopFiles(): Promise<ShopFiles & Disposable> {
  template ??= makeTemplate();
  const from = await template;
  const folder = mkdtempSync(join(tmpdir(), "heddle-world-"));
  const fileOf = (name: (typeof names)[number]) => join(folder, `${name}.db`);
  for (const name of names) copyFileSync(join(from, `${name}.db`), fileOf(name));
  return {
    user: fileOf("user"),
    catalog: fileOf("catalog"),
    order: fileOf("order"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Made once for all worlds of this process: to migrate takes longer than a world does. */
async function makeTemplate(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), "heddle-world-template-"));
  process.once("exit", () => rmSync(dataDir, { recursive: true, force: true }));
  for (const name of names) {
    await using store = await openStore({ ...shopRows[name], databaseUrl: "", dataDir });
    if (name === "user") {
      for (const id of userIds) {
        await store.unit((em) => userRepository(em).add({ name: `User ${id}`, email: `${id}@example.com` }, 0));
      }
    }
    if (name === "catalog") {
      for (const sku of skus) {
        const price = { currency: "EUR", priceUnits: 5n, priceNanos: 0 };
        const product = { sku, name: sku, description: "", stock: stocks[sku], ...price };
        await store.unit((em) => productRepository(em).add(product, 0));
      }
    }
  }
  return dataDir;
}
