import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Store } from "../../store/orm.ts";
import { firstTime } from "../../store/request-ids.ts";
import { productRequests } from "./product-entity.ts";
import { productRepository } from "./product-repository.ts";

const samples = [
  { sku: "ABC", name: "Loom shuttle", description: "Carries the weft through the shed.", price: [9n, 990_000_000] },
  { sku: "HED-100", name: "Wire heddles, 100", description: "An eye for every thread.", price: [24n, 500_000_000] },
  { sku: "REED-10", name: "Reed, 10 dents", description: "Keeps the warp in its place.", price: [39n, 0] },
  { sku: "WARP-1", name: "Linen warp, 1 kg", description: "Unbleached, strong.", price: [32n, 750_000_000] },
  { sku: "YARN-RED", name: "Wool yarn, red", description: "50 g, plant-dyed.", price: [4n, 200_000_000] },
] as const;

/** What stands for seeding among the ids of requests. */
const requestId = "heddle:seed";

/**
 * Puts a few sample products into a catalog that has none, so that a first order can be made. Resolves with how many
 * were added: it happens once in the life of a database, also when replicas start together.
 */
export function seed(store: Store, now: number): Promise<number> {
  return store.unit(async (em) => ((await firstTime(em, productRequests, requestId, now)) ? addSamples(em, now) : 0));
}

async function addSamples(em: SqlEntityManager, now: number): Promise<number> {
  const products = productRepository(em);
  if (!(await products.isEmpty())) return 0;
  for (const { price, ...sample } of samples) {
    const [priceUnits, priceNanos] = price;
    await products.add({ ...sample, currency: "EUR", priceUnits, priceNanos, stock: 1_000 }, now);
  }
  return samples.length;
}
