import type { DescService } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { failedPrecondition } from "../call/errors.ts";
import { assertPolicies } from "../call/policy.ts";
import { servicePolicy } from "../call/service-policy.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import { type BalancerName, createBalancer } from "./balance/balancers.ts";
import { Channel } from "./channel.ts";
import type { Resolver } from "./resolve/resolver.ts";

/**
 * The channel of a service; the same one each time. Throws PolicyError if the service's contract contradicts itself,
 * FAILED_PRECONDITION once the mesh is closed.
 */
export type ChannelOf = (service: DescService) => Channel;

/** What channels are made of. */
export interface ChannelsOptions {
  readonly resolver: Resolver;
  readonly sessions: SessionPool;
  readonly clock: Clock;
  readonly random: Random;
  /** Instead of what contracts say. */
  readonly balance?: BalancerName;
}

/** The channels of a mesh, each made when its service is first called. */
export class Channels implements Disposable {
  readonly #options: ChannelsOptions;
  readonly #channels = new Map<string, Channel>();
  #closed = false;

  constructor(options: ChannelsOptions) {
    this.#options = options;
  }

  readonly of: ChannelOf = (service) => {
    if (this.#closed) throw failedPrecondition("the mesh is closed", { reason: "MESH_CLOSED", domain: "heddle" });
    const known = this.#channels.get(service.typeName);
    if (known !== undefined) return known;
    assertPolicies(service);
    const { resolver, sessions, clock, random, balance = servicePolicy(service).balance } = this.#options;
    const resolution = resolver.resolve(service.typeName);
    const balancer = createBalancer(balance, { random });
    const made = new Channel({ service: service.typeName, resolution, balancer, sessions, clock, random });
    this.#channels.set(service.typeName, made);
    return made;
  };

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const channel of this.#channels.values()) channel[Symbol.dispose]();
    this.#channels.clear();
  }
}
