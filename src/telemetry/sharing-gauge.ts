import { Gauge, type Registry } from "prom-client";

/** Tells whether rate limits are shared with other servers at this moment: `heddle_rate_limits_shared`, 1 or 0. */
export function sharingGauge(registry: Registry): (isShared: boolean) => void {
  const gauge = new Gauge({
    name: "heddle_rate_limits_shared",
    help: "1 while rate limits are shared with other servers, 0 while Redis is away and this one keeps them by itself.",
    registers: [registry],
  });
  return (isShared) => gauge.set(isShared ? 1 : 0);
}
