import { openMesh } from "../../mesh/mesh.ts";
import { staticResolver } from "../../mesh/resolve/static.ts";
import { meshMetrics } from "../../telemetry/mesh-metrics.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import type { Addresses, Call } from "../load.ts";
import { sampleId } from "../sample.ts";
import { withEverything } from "./full-contract.ts";

/** With all that a contract may ask for: beyond the defaults a hedge, a timeout for each attempt, load reports, metrics. */
export async function open(addresses: Addresses): Promise<Call> {
  const service = withEverything();
  const resolver = staticResolver({ [service.typeName]: addresses });
  const hooks = meshMetrics(createMetrics({ service: "bench" }));
  const orders = (await openMesh({ resolver, hooks })).client(service) as unknown as AsksOrders;
  return () => orders.getOrder({ id: sampleId });
}

interface AsksOrders {
  getOrder(request: { readonly id: string }): Promise<unknown>;
}
