import { create } from "@bufbuild/protobuf";
import { type WatchResponse, WatchResponseSchema } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { Instance } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Change, Registry, Step } from "./registry.ts";
import { type Selection, selects } from "./selection.ts";

/** Behind: the next thing to tell is everything. Following: the next thing to tell is the oldest delta, if any. */
type State = { readonly name: "behind" } | { readonly name: "following"; readonly deltas: WatchResponse[] };

/** What a feed is made of. */
export interface FeedOptions {
  readonly registry: Registry;
  readonly selection: Selection;
  /** Deltas kept for a reader that is slow; one more, and it is told everything afresh instead. */
  readonly maxDeltas?: number;
}

/**
 * What one watch has not been told yet. It begins behind, so the first thing to take is a snapshot; a reader that falls
 * too far behind is put back there, which bounds what it costs and spares it the steps between.
 */
export class Feed {
  readonly #registry: Registry;
  readonly #selection: Selection;
  readonly #maxDeltas: number;
  #state: State = { name: "behind" };
  #toldVersion = 0n;

  constructor({ registry, selection, maxDeltas = 64 }: FeedOptions) {
    this.#registry = registry;
    this.#selection = selection;
    this.#maxDeltas = maxDeltas;
  }

  /** Takes note of a change. True if there is something to take now. */
  offer(change: Change): boolean {
    if (this.#state.name === "behind") return true; // the snapshot will show it
    const delta = this.#delta(change);
    if (!delta) return this.#state.deltas.length > 0;
    this.#toldVersion = change.version;
    if (this.#state.deltas.length < this.#maxDeltas) this.#state.deltas.push(delta);
    else this.#state = { name: "behind" };
    return true;
  }

  /** The next thing to tell, if there is one. */
  take(): WatchResponse | undefined {
    if (this.#state.name === "following") return this.#state.deltas.shift();
    this.#state = { name: "following", deltas: [] };
    this.#toldVersion = this.#registry.version;
    const instances = this.#registry.select(this.#selection).map((entry) => entry.instance);
    return create(WatchResponseSchema, {
      version: this.#toldVersion,
      event: { case: "snapshot", value: { $typeName: "heddle.discovery.v1.Snapshot", instances } },
    });
  }

  /** A sign of life, for when there is nothing to take. Changes that this watch did not ask for count as told with it. */
  heartbeat(): WatchResponse {
    this.#toldVersion = this.#registry.version;
    return create(WatchResponseSchema, { version: this.#toldVersion, event: { case: "heartbeat", value: {} } });
  }

  #delta({ version, steps }: Change): WatchResponse | undefined {
    const changed = steps.flatMap((step) => this.#shown(step.after) ?? []);
    const removedIds = steps.flatMap((step) => this.#lost(step) ?? []);
    if (changed.length + removedIds.length === 0) return undefined;
    const value = { previousVersion: this.#toldVersion, changed, removedIds };
    return create(WatchResponseSchema, {
      version,
      event: { case: "delta", value: { $typeName: "heddle.discovery.v1.Delta", ...value } },
    });
  }

  #shown(entry: Step["after"]): Instance | undefined {
    return entry && selects(this.#selection, entry) ? entry.instance : undefined;
  }

  #lost({ before, after }: Step): string | undefined {
    return this.#shown(before) && !this.#shown(after) ? before?.instance.id : undefined;
  }
}
