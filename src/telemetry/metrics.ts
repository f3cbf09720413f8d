import { collectDefaultMetrics, Registry } from "prom-client";

/** The content type of the text that Prometheus reads. */
export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** A registry that already tells of the process: CPU, memory, event loop, garbage collection. */
export function createMetrics(labels: Readonly<Record<string, string>>): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ ...labels });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Upper bounds of the buckets that durations are counted in, in seconds. */
export const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
