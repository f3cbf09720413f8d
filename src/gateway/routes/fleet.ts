import type { Client } from "@connectrpc/connect";
import type { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { Instance } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import { fullJitter } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import type { Random } from "../../base/random.ts";
import { linkSignals } from "../../base/signals.ts";
import { type Followed, Watchable } from "../../base/watch.ts";
import type { FleetCache } from "./fleet-cache.ts";
import { InstanceView } from "./instance-view.ts";

/** Discovery sends a sign of life every 5 s; after three missed ones the stream counts as dead. */
const silenceMs = 15_000;

/** All instances there are: not known yet; as discovery says now; or as it said last, when it cannot be asked. */
export type Fleet =
  | { readonly kind: "pending"; readonly instances: readonly Instance[] }
  | { readonly kind: "live"; readonly instances: readonly Instance[] }
  | { readonly kind: "last-known"; readonly instances: readonly Instance[]; readonly problem: string };

/** What following the fleet needs. */
export interface FleetOptions {
  readonly discovery: Client<typeof DiscoveryService>;
  readonly cache: FleetCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Follows every instance of every service, the unwell ones too, and begins again whenever discovery was away. */
export class FleetWatch implements AsyncDisposable {
  readonly #options: FleetOptions;
  readonly #fleet = new Watchable<Fleet>({ kind: "pending", instances: [] });
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get fleet(): Followed<Fleet> {
    return this.#fleet;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error("the gateway is closed"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, log } = this.#options;
    const { signal } = this.#closing;
    const backoffMs = fullJitter({ initialMs: 100, maxMs: 5_000, random });
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        await this.#follow(() => {
          failures = 0;
        });
      } catch (reason) {
        if (signal.aborted) return;
        const problem = messageOf(reason);
        if (failures <= 1) log.warn("discovery is away; routes stay as they were known last", { problem });
        await this.#fallBack(problem);
      }
      await clock.sleep(backoffMs(Math.max(1, failures)), signal).catch(() => {}); // closing ends the loop
    }
  }

  async #fallBack(problem: string): Promise<void> {
    const { kind, instances } = this.#fleet.value;
    const known = kind === "pending" ? await this.#options.cache.recall() : instances;
    this.#fleet.set({ kind: "last-known", instances: known, problem });
  }

  /** One watch stream, until it ends or breaks, or a delta shows that something was missed. */
  async #follow(onStep: () => void): Promise<void> {
    const { clock, discovery, cache } = this.#options;
    using link = linkSignals(this.#closing.signal);
    const silent = () => clock.setTimer(silenceMs, () => link.abort(new Error(`no sign of life for ${silenceMs} ms`)));
    const view = new InstanceView();
    let silence = silent();
    try {
      for await (const step of discovery.watch({ includeUnhealthy: true }, { signal: link.signal })) {
        silence.cancel();
        silence = silent();
        if (!view.apply(step)) return; // a gap: watch again from a new snapshot
        onStep();
        if (step.event.case === "heartbeat") continue;
        this.#fleet.set({ kind: "live", instances: view.instances() });
        cache.keep(view.instances());
      }
    } finally {
      silence.cancel();
      link.abort(new Error("the watch ended"));
    }
  }
}
