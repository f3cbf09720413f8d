import type { WatchResponse } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { Instance } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Endpoint } from "./resolver.ts";
import { hostAndPort } from "./static.ts";

/** Endpoints put together from a watch's snapshot and deltas. */
export class EndpointView {
  readonly #endpoints = new Map<string, Endpoint>();
  #version: bigint | undefined;

  /** Takes one step in. Answers false when the step does not build on the last one: something was missed. */
  apply({ version, event }: WatchResponse): boolean {
    switch (event.case) {
      case "snapshot":
        this.#endpoints.clear();
        for (const instance of event.value.instances) this.#endpoints.set(instance.id, endpointOf(instance));
        break;
      case "delta":
        if (event.value.previousVersion !== this.#version) return false;
        for (const instance of event.value.changed) this.#endpoints.set(instance.id, endpointOf(instance));
        for (const id of event.value.removedIds) this.#endpoints.delete(id);
        break;
      default:
        return this.#version === version; // a heartbeat of another version: a delta was missed
    }
    this.#version = version;
    return true;
  }

  /** The endpoints now, by id, so that every client sees them in one order. */
  endpoints(): readonly Endpoint[] {
    return [...this.#endpoints.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** An instance as its callers see it. */
export function endpointOf({ id, name, host, port, zone, weight, version, metadata }: Instance): Endpoint {
  const scheme = metadata.scheme === "https" && ({ scheme: "https" } as const);
  return { id, name, address: hostAndPort(host, port), ...scheme, zone, weight: weight || 100, version };
}
