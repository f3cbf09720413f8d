import type { Case } from "./case.ts";
import { catalogCases } from "./cases/catalog-cases.ts";
import { consulCases, discoveryCases } from "./cases/discovery-cases.ts";
import { eventCases, subscriptionCases } from "./cases/event-cases.ts";
import { orderCases } from "./cases/order-cases.ts";
import { sagaCases } from "./cases/saga-cases.ts";
import { healthCases, loadCases, reflectionCases } from "./cases/standard-cases.ts";
import { userCases } from "./cases/user-cases.ts";
import { userV2Cases } from "./cases/user-v2-cases.ts";
import { restWaysOf } from "./rest-ways.ts";
import { rpcWaysOf, type Way } from "./rpc-ways.ts";

/** Everything that is promised to callers, one row a promise. Each row is tried in every way its method can be called. */
export const table: readonly Case[] = [
  ...userCases,
  ...userV2Cases,
  ...catalogCases,
  ...orderCases,
  ...sagaCases,
  ...eventCases,
  ...subscriptionCases,
  ...discoveryCases,
  ...consulCases,
  ...healthCases,
  ...loadCases,
  ...reflectionCases,
];

/** Every way to call the method of a row: the RPC protocols, and each REST path in both spellings. */
export function waysOf({ method }: Case): readonly Way[] {
  return [...rpcWaysOf(method), ...restWaysOf(method)];
}
