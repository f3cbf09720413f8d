import type { Client } from "@connectrpc/connect";
import type { DiscoveryService } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import { fullJitter } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import type { Random } from "../../base/random.ts";
import { linkSignals } from "../../base/signals.ts";
import { Watchable } from "../../base/watch.ts";
import { runDetached } from "../../call/context.ts";
import { EndpointView } from "./endpoint-view.ts";
import type { Resolution, Resolver } from "./resolver.ts";
import type { SnapshotCache } from "./snapshot-cache.ts";

/** Discovery sends a sign of life every 5 s; one that is this late is not waited for, and the watch begun again. */
const silenceMs = 6_000;

/** How long the first calls wait for discovery before the snapshot on disk will do. */
const patienceMs = 1_000;

/** What following discovery needs. */
export interface RegistryResolverOptions {
  readonly discovery: Client<typeof DiscoveryService>;
  readonly cache: SnapshotCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Follows endpoints in discovery; while it is away the last good ones stay, over a restart of this process too. */
export function registryResolver(options: RegistryResolverOptions): Resolver {
  const followed = new Map<string, Watchable<Resolution>>();
  const closing = new AbortController();
  const running: Promise<void>[] = [];
  return {
    resolve(service) {
      const known = followed.get(service);
      if (known !== undefined) return known;
      const made = new Watchable<Resolution>({ kind: "pending" });
      followed.set(service, made);
      // Detached: the watch outlives the call that happened to be the first to ask.
      runDetached(() => running.push(new ServiceWatch(service, made, options).run(closing.signal)));
      return made;
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("the mesh is closed"));
      await Promise.all(running);
    },
  };
}

/** The watch of one service, begun again whenever it ends. */
class ServiceWatch {
  readonly #service: string;
  readonly #target: Watchable<Resolution>;
  readonly #options: RegistryResolverOptions;

  constructor(service: string, target: Watchable<Resolution>, options: RegistryResolverOptions) {
    this.#service = service;
    this.#target = target;
    this.#options = options;
  }

  async run(closing: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#options;
    const backoffMs = fullJitter({ initialMs: 100, maxMs: 2_000, random });
    const patience = clock.setTimer(patienceMs, () => void this.#fallBack("discovery has not answered yet"));
    for (let failures = 0; !closing.aborted; ) {
      try {
        await this.#follow(closing, () => {
          patience.cancel();
          failures = 0;
        });
      } catch (reason) {
        if (closing.aborted) break;
        patience.cancel();
        const problem = messageOf(reason);
        if (failures === 0) {
          const service = this.#service;
          log.warn("discovery is away; calls go on with the endpoints known last", { service, problem });
        }
        await this.#fallBack(problem);
      }
      failures++;
      await clock.sleep(backoffMs(failures), closing).catch(() => {}); // closing ends the loop
    }
    patience.cancel();
  }

  /** One watch stream, until it ends or breaks, or a delta shows that something was missed. */
  async #follow(closing: AbortSignal, onSnapshot: () => void): Promise<void> {
    const { clock, discovery, cache } = this.#options;
    using link = linkSignals(closing);
    const view = new EndpointView();
    const listen = () => clock.setTimer(silenceMs, () => link.abort(new Error(`no sign of life for ${silenceMs} ms`)));
    let silence = listen();
    try {
      for await (const step of discovery.watch({ service: this.#service }, { signal: link.signal })) {
        silence.cancel();
        silence = listen();
        if (!view.apply(step)) return; // a gap: watch again from a new snapshot
        if (step.event.case === "heartbeat") continue;
        onSnapshot();
        this.#target.set({ kind: "live", endpoints: view.endpoints() });
        cache.write(this.#service, view.endpoints());
      }
    } finally {
      silence.cancel();
      link.abort(new Error("the watch is left")); // a reader that goes does not end a Connect stream by itself
    }
  }

  async #fallBack(problem: string): Promise<void> {
    const now = this.#target.value;
    if (now.kind !== "pending") {
      this.#target.set({ kind: "last-known", endpoints: now.endpoints, problem });
      return;
    }
    const endpoints = (await this.#options.cache.read(this.#service)) ?? [];
    if (this.#target.value.kind === "pending") this.#target.set({ kind: "last-known", endpoints, problem });
  }
}
