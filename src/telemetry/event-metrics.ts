import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { EventHooks } from "../events/hooks.ts";
import { durationBuckets } from "./metrics.ts";

/** Those of calls, and beyond: events wait while others are away. */
const delayBuckets = [...durationBuckets, 30, 60, 300, 1_800];

/** Counts and times the events that a service publishes, and those that it takes in: `heddle_event_*`, `heddle_events_*`. */
export function eventMetrics(registry: Registry): EventHooks {
  return { ...publishing([registry]), ...takingIn([registry]) };
}

function publishing(registers: Registry[]): EventHooks {
  const backlog = new Gauge({
    name: "heddle_events_backlog",
    help: "Events committed and not yet published; changes are refused above EVENT_BACKLOG.",
    registers,
  });
  const published = new Counter({
    name: "heddle_events_published_total",
    help: "Events published by this replica, by type and by how they travel.",
    labelNames: ["type", "transport"],
    registers,
  });
  const delays = new Histogram({
    name: "heddle_event_publish_delay_seconds",
    help: "Time from the commit of a change to its event being published.",
    buckets: delayBuckets,
    registers,
  });
  return {
    backlog: (count) => backlog.set(count),
    published({ type, transport, delayMs }) {
      published.inc({ type, transport });
      delays.observe(delayMs / 1_000);
    },
  };
}

function takingIn(registers: Registry[]): EventHooks {
  const taken = new Counter({
    name: "heddle_events_taken_total",
    help: "Events of others that took effect here, by who published them and type.",
    labelNames: ["source", "type"],
    registers,
  });
  const delays = new Histogram({
    name: "heddle_event_effect_delay_seconds",
    help: "Time from the commit of a change to its event's effect here, by who published it.",
    labelNames: ["source"],
    buckets: delayBuckets,
    registers,
  });
  const parked = new Gauge({
    name: "heddle_events_parked",
    help: "Events that could not be handled: waiting for another try, or dead letters, by who published them.",
    labelNames: ["source", "state"],
    registers,
  });
  const dead = new Counter({
    name: "heddle_events_dead_total",
    help: "Events given up after their last try: dead letters, for `heddle events`.",
    labelNames: ["source", "type"],
    registers,
  });
  return {
    takenIn({ source, type, delayMs }) {
      taken.inc({ source, type });
      delays.observe({ source }, Math.max(0, delayMs) / 1_000);
    },
    parked({ source, waiting, dead }) {
      parked.set({ source, state: "waiting" }, waiting);
      parked.set({ source, state: "dead" }, dead);
    },
    dead: ({ source, type }) => dead.inc({ source, type }),
  };
}
