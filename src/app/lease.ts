import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import {
  type DiscoveryService,
  type KeepAliveRequest,
  KeepAliveRequestSchema,
  Lease as LeaseKind,
} from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { InstanceSchema } from "../../gen/heddle/discovery/v1/instance_pb.ts";
import { fullJitter } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { messageOf } from "../base/message-of.ts";
import type { Random } from "../base/random.ts";
import { linkSignals } from "../base/signals.ts";
import { Watchable } from "../base/watch.ts";

/** Renewed every 5 s ± 10 % against a TTL of 15 s: two renewals may be lost (DESIGN §4). */
const renewMs = 5_000;

/** An answer to a renewal that is this late is not waited for: that leaves time for another way before the lease lapses. */
const silenceMs = 7_500;

/** What holding a lease needs. */
export interface LeaseOptions {
  readonly discovery: Client<typeof DiscoveryService>;
  /** The instance to register; its id is chosen already, so that every registration is the same one. */
  readonly instance: MessageInitShape<typeof InstanceSchema> & { readonly id: string };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A registration in discovery, kept alive; made again by itself whenever discovery has forgotten it. */
export class Lease implements AsyncDisposable {
  readonly #options: LeaseOptions;
  readonly #letGo = new AbortController();
  readonly #registered = new Watchable(false);
  readonly #running: Promise<void>;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Resolves at the first registration; rejects with the signal's reason when that comes first. */
  async registered(signal?: AbortSignal): Promise<void> {
    await this.#registered.until((registered) => registered, signal);
  }

  /** Lets the registration go: nobody new is sent here. Discovery being away is no error: the lease lapses by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { discovery, instance, log } = this.#options;
    this.#letGo.abort(new Error("the lease was let go"));
    await this.#running;
    if (!this.#registered.value) return;
    await discovery
      .deregister({ id: instance.id }, { timeoutMs: 1_000 })
      .catch((error) => log.warn("could not deregister; the lease lapses by itself", { error }));
  }

  /** Keeps alive, and registers whenever discovery does not know the instance, until let go. */
  async #run(): Promise<void> {
    const { clock, random, log, instance } = this.#options;
    const backoffMs = fullJitter({ initialMs: 200, maxMs: 5_000, random });
    for (let failures = 0; !this.#letGo.signal.aborted; ) {
      try {
        if (!this.#registered.value) await this.#register();
        await this.#keepAlive(() => {
          failures = 0;
        });
      } catch (error) {
        if (this.#letGo.signal.aborted) return;
        failures++;
        const problem = messageOf(error);
        if (failures === 1)
          log.warn("discovery is away; will register again when it is back", { id: instance.id, problem });
      }
      await clock.sleep(backoffMs(Math.max(1, failures)), this.#letGo.signal).catch(() => {}); // let go ends the loop
    }
  }

  async #register(): Promise<void> {
    const { discovery, instance, log } = this.#options;
    await discovery.register({ instance, lease: LeaseKind.KEPT_ALIVE }, { signal: this.#letGo.signal });
    this.#registered.set(true);
    log.info("registered", { id: instance.id, host: instance.host, port: instance.port });
  }

  /** One keep-alive stream, until it breaks or goes silent, or discovery ends it or says that it does not know us. */
  async #keepAlive(onRenewed: () => void): Promise<void> {
    const { discovery, clock } = this.#options;
    using link = linkSignals(this.#letGo.signal);
    const silent = () =>
      clock.setTimer(silenceMs, () => link.abort(new Error(`no answer to a renewal for ${silenceMs} ms`)));
    let silence = silent();
    try {
      for await (const { known } of discovery.keepAlive(this.#renewals(link.signal), { signal: link.signal })) {
        silence.cancel();
        silence = silent();
        onRenewed();
        if (!known) {
          this.#registered.set(false);
          return;
        }
      }
    } finally {
      silence.cancel();
      link.abort(new Error("the keep-alive stream ended"));
    }
  }

  async *#renewals(signal: AbortSignal): AsyncIterable<KeepAliveRequest> {
    const { instance, clock, random } = this.#options;
    while (!signal.aborted) {
      yield create(KeepAliveRequestSchema, { id: instance.id });
      await clock.sleep(renewMs * (0.9 + random() / 5), signal).catch(() => {}); // aborted: the loop ends
    }
  }
}
