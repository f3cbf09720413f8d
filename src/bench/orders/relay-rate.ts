import { setTimeout as sleep } from "node:timers/promises";
import type { Reader } from "./rows-of.ts";

const giveUpMs = 120_000;

/** Events a second that the relay publishes while it works off a backlog of so many, seen from outside: from when it has begun. */
export async function relayRate(orders: Reader, events: number): Promise<number> {
  const giveUpAt = performance.now() + giveUpMs;
  let began: { readonly at: number; readonly published: number } | undefined;
  for (; performance.now() < giveUpAt; await sleep(5)) {
    const published = await publishedOf(orders);
    const at = performance.now();
    if (published > 0) began ??= { at, published };
    if (began && published >= events) return ((published - began.published) * 1_000) / (at - began.at);
  }
  throw new Error(`after ${giveUpMs} ms ${await publishedOf(orders)} of ${events} events are published`);
}

async function publishedOf(orders: Reader): Promise<number> {
  const [row] = await orders.rows("select max(position) as published from order_events");
  return Number(row?.published ?? 0);
}
