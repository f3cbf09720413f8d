import { setTimeout as sleep } from "node:timers/promises";
import { type Ending, postJson } from "../../testing/post-json.ts";

/** Who places orders, where, of what. */
export interface Shop {
  /** "host:port". */
  readonly gateway: string;
  readonly userIds: readonly string[];
  readonly skus: readonly string[];
}

/** What became of a load. */
export interface Placed {
  readonly accepted: number;
  readonly failed: number;
  /** Why, as the first of them were told, by how many were told so. */
  readonly failures: ReadonlyMap<string, number>;
  /** From the first request to the last answer. */
  readonly ms: number;
  /** How long each accepted request took, sorted. */
  readonly tookMs: readonly number[];
}

const timeoutMs = 20_000;
const mostKinds = 10;

/** Places orders for `ms`, so many at once, each as soon as the one before is answered. */
export async function placeInFlight(shop: Shop, { inFlight, ms }: { inFlight: number; ms: number }): Promise<Placed> {
  const counts = new Counts();
  const endAt = performance.now() + ms;
  const lane = async (_: unknown, at: number) => {
    for (let turn = at; performance.now() < endAt; turn += inFlight) await counts.place(shop, turn);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return counts.placed();
}

/** Places orders for `ms`, so many a second, whatever becomes of those before. */
export async function placeSteadily(shop: Shop, { perSecond, ms }: { perSecond: number; ms: number }): Promise<Placed> {
  const counts = new Counts();
  const beganAt = performance.now();
  const under: Promise<void>[] = [];
  for (let turn = 0; turn < (perSecond * ms) / 1_000; turn++) {
    const waitMs = beganAt + (turn * 1_000) / perSecond - performance.now();
    if (waitMs > 1) await sleep(waitMs);
    under.push(counts.place(shop, turn));
  }
  await Promise.all(under);
  return counts.placed();
}

class Counts {
  readonly #beganAt = performance.now();
  readonly #tookMs: number[] = [];
  readonly #failures = new Map<string, number>();

  async place({ gateway, userIds, skus }: Shop, turn: number): Promise<void> {
    const beganAt = performance.now();
    const items = [{ sku: skus[turn % skus.length], qty: 1 }];
    const ending = await postJson(gateway, "/v1/orders", { userId: userIds[turn % userIds.length], items }, timeoutMs);
    if (ending.kind === "answered" && ending.status === 201) this.#tookMs.push(performance.now() - beganAt);
    else this.#failedBy(ending);
  }

  #failedBy(ending: Ending): void {
    const why = ending.kind === "answered" ? `${ending.status} ${String(ending.body.message)}` : ending.reason;
    const kind = this.#failures.has(why) || this.#failures.size < mostKinds ? why : "others";
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + 1);
  }

  placed(): Placed {
    const tookMs = this.#tookMs.sort((a, b) => a - b);
    const failed = [...this.#failures.values()].reduce((sum, count) => sum + count, 0);
    const ms = performance.now() - this.#beganAt;
    return { accepted: tookMs.length, failed, failures: this.#failures, ms, tookMs };
  }
}
