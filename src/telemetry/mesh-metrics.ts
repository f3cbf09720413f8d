import { Counter, Histogram, type Registry } from "prom-client";
import { codeName } from "../call/outcome.ts";
import type { MeshHooks } from "../mesh/hooks.ts";
import { durationBuckets } from "./metrics.ts";

/** Counts and times the calls a mesh makes, and the attempts they took: `heddle_client_*`. */
export function meshMetrics(registry: Registry): MeshHooks {
  const registers = [registry];
  const calls = new Counter({
    name: "heddle_client_calls_total",
    help: "Calls made, by the code their caller saw.",
    labelNames: ["service", "method", "code"],
    registers,
  });
  const attempts = new Counter({
    name: "heddle_client_attempts_total",
    help: "Attempts sent, by endpoint and the code it answered.",
    labelNames: ["service", "method", "endpoint", "code"],
    registers,
  });
  const durations = new Histogram({
    name: "heddle_client_call_duration_seconds",
    help: "Time from a call's start to its end, all attempts included.",
    labelNames: ["service", "method"],
    buckets: durationBuckets,
    registers,
  });
  const faults = new Counter({
    name: "heddle_client_faults_total",
    help: "Attempts that met a fault on purpose, by what was done to them.",
    labelNames: ["service", "method", "fault"],
    registers,
  });
  return {
    attemptEnded({ method, endpoint, code, fault }) {
      const labels = { service: method.parent.typeName, method: method.name };
      attempts.inc({ ...labels, endpoint: endpoint.address, code: codeName(code) });
      if (fault !== undefined) faults.inc({ ...labels, fault });
    },
    callEnded({ method, code, durationMs }) {
      const labels = { service: method.parent.typeName, method: method.name };
      calls.inc({ ...labels, code: codeName(code) });
      durations.observe(labels, durationMs / 1_000);
    },
  };
}
