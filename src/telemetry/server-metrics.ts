import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { ServerHooks } from "../server/hooks.ts";
import { CallCounts } from "./call-counts.ts";
import { durationBuckets } from "./metrics.ts";

/** Counts and times the calls a server answers: `heddle_server_*`, by service, method and code. */
export function serverMetrics(registry: Registry): ServerHooks {
  const registers = [registry];
  const calls = new CallCounts();
  new Counter({
    name: "heddle_server_calls_total",
    help: "Calls answered, by their code.",
    labelNames: ["service", "method", "code"],
    registers,
    collect() {
      calls.tell(this);
    },
  });
  const durations = new Histogram({
    name: "heddle_server_call_duration_seconds",
    help: "Time from a call's headers to its end.",
    labelNames: ["service", "method"],
    buckets: durationBuckets,
    registers,
  });
  const inFlight = new Gauge({ name: "heddle_server_calls_in_flight", help: "Calls being answered.", registers });
  const refused = new Counter({
    name: "heddle_server_calls_refused_total",
    help: "Calls refused: overloaded, for the server had too much to do; rate_limited, for their caller called too often.",
    labelNames: ["service", "method", "reason"],
    registers,
  });
  return {
    callStarted: () => inFlight.inc(),
    callEnded({ method, code, durationMs, shed, rateLimited }) {
      const labels = { service: method.parent.typeName, method: method.name };
      inFlight.dec();
      calls.add(method, code);
      if (shed || rateLimited) refused.inc({ ...labels, reason: shed ? "overloaded" : "rate_limited" });
      durations.observe(labels, durationMs / 1_000);
    },
  };
}
