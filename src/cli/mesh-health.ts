import { listInstances } from "./instances.ts";
import { discoveryOf, host, type Part } from "./plan.ts";

/** Whether every part of the plan is registered in its discovery and healthy. */
export async function meshIsWhole(plan: readonly Part[]): Promise<boolean> {
  try {
    const instances = await listInstances(discoveryOf(plan));
    const healthy = new Set(instances.filter(({ health }) => health === "healthy").map(({ address }) => address));
    return plan.every(({ port }) => healthy.has(`${host}:${port}`));
  } catch {
    return false; // discovery does not answer yet
  }
}
