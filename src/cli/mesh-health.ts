import { get } from "node:https";
import { json } from "node:stream/consumers";
import { listInstances } from "./instances.ts";
import { discoveryOf, host, type Part } from "./plan.ts";

/** The parts that are not seen by all yet: not healthy in discovery, or without a route in the gateway, if there is one. */
export async function unseen(plan: readonly Part[]): Promise<readonly Part[]> {
  try {
    const instances = await listInstances(discoveryOf(plan));
    const healthy = new Set(instances.filter(({ health }) => health === "healthy").map(({ address }) => address));
    const gateway = plan.find(({ name }) => name === "gateway");
    const { scheme } = instances.find(({ address }) => gateway && address === addressOf(gateway)) ?? {};
    const page = gateway && (scheme === "https" ? securePage(gateway) : healthPage(gateway));
    const unrouted = page ? notRouted(await page, plan) : [];
    return plan.filter((part) => !healthy.has(addressOf(part)) || unrouted.includes(part));
  } catch {
    return plan; // one of the two does not answer yet
  }
}

const addressOf = ({ port }: Part) => `${host}:${port}`;

async function healthPage(gateway: Part): Promise<unknown> {
  const response = await fetch(`http://${addressOf(gateway)}/health`, { signal: AbortSignal.timeout(2_000) });
  return response.json();
}

/** Of a process that was just started here and is asked nothing secret: its certificate may be for another name. */
function securePage(gateway: Part): Promise<unknown> {
  const options = { rejectUnauthorized: false, agent: false, timeout: 2_000 };
  return new Promise((resolve, reject) => {
    const asked = get(
      `https://${addressOf(gateway)}/health`,
      options,
      (response) => void json(response).then(resolve, reject),
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", reject);
  });
}

/** The parts that a gateway's `/health` page does not show as healthy and routed. */
export function notRouted(page: unknown, plan: readonly Part[]): readonly Part[] {
  const { services } = Object(page) as { readonly services?: unknown };
  return plan.filter((part) => {
    if (part.name === "gateway") return false;
    const { routes, instances } = Object(Object(services)[part.name]) as Record<"routes" | "instances", unknown>;
    if (!Array.isArray(routes) || !Array.isArray(instances)) return true;
    if (routes.length === 0 && part.name !== "discovery") return true; // which nobody reaches by the gateway
    return !instances.some(({ address, status }) => address === addressOf(part) && status === "healthy");
  });
}
