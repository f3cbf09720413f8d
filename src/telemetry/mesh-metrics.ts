import { Counter, Histogram, type Registry } from "prom-client";
import type { MeshHooks } from "../mesh/hooks.ts";
import { CallCounts } from "./call-counts.ts";
import { durationBuckets } from "./metrics.ts";

/** Counts and times the calls a mesh makes, and the attempts they took: `heddle_client_*`. */
export function meshMetrics(registry: Registry): MeshHooks {
  const registers = [registry];
  const calls = new CallCounts();
  const attempts = new CallCounts();
  new Counter({
    name: "heddle_client_calls_total",
    help: "Calls made, by the code their caller saw.",
    labelNames: ["service", "method", "code"],
    registers,
    collect() {
      calls.tell(this);
    },
  });
  new Counter({
    name: "heddle_client_attempts_total",
    help: "Attempts sent, by endpoint and the code it answered.",
    labelNames: ["service", "method", "endpoint", "code"],
    registers,
    collect() {
      attempts.tell(this);
    },
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
      attempts.add(method, code, endpoint.address);
      if (fault !== undefined) faults.inc({ service: method.parent.typeName, method: method.name, fault });
    },
    callEnded({ method, code, durationMs }) {
      calls.add(method, code);
      durations.observe({ service: method.parent.typeName, method: method.name }, durationMs / 1_000);
    },
  };
}
