import type { WatchResponse } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { Instance } from "../../../gen/heddle/discovery/v1/instance_pb.ts";

/** Instances put together from a watch's snapshot and deltas. */
export class InstanceView {
  readonly #instances = new Map<string, Instance>();
  #version: bigint | undefined;

  /** Takes one step in. Answers false when the step does not build on the last one: something was missed. */
  apply({ version, event }: WatchResponse): boolean {
    switch (event.case) {
      case "snapshot":
        this.#instances.clear();
        for (const instance of event.value.instances) this.#instances.set(instance.id, instance);
        break;
      case "delta":
        if (event.value.previousVersion !== this.#version) return false;
        for (const instance of event.value.changed) this.#instances.set(instance.id, instance);
        for (const id of event.value.removedIds) this.#instances.delete(id);
        break;
      default:
        return this.#version === version; // a heartbeat of another version: a delta was missed
    }
    this.#version = version;
    return true;
  }

  /** The instances now, by name and id. */
  instances(): readonly Instance[] {
    return [...this.#instances.values()].sort(byNameAndId);
  }
}

function byNameAndId(a: Instance, b: Instance): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
