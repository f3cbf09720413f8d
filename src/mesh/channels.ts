import type { DescService } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import type { Random } from "../base/random.ts";
import { meshClosed } from "../call/errors.ts";
import { assertPolicies } from "../call/policy.ts";
import { servicePolicy } from "../call/service-policy.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import { type BalancerName, createBalancer } from "./balance/balancers.ts";
import type { Balancer } from "./balance/picker.ts";
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
  readonly deadlines: Deadlines;
  /** Where this client runs, and what tells it from others. */
  readonly zone: string;
  readonly clientId: string;
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
    if (this.#closed) throw meshClosed();
    const known = this.#channels.get(service.typeName);
    if (known !== undefined) return known;
    assertPolicies(service);
    const { resolver, ...parts } = this.#options;
    const resolution = resolver.resolve(service.typeName);
    const onUnreachable = () => resolver.lookAgain?.(service.typeName);
    const made = new Channel({ ...parts, service, resolution, onUnreachable, balancer: this.#balancer(service) });
    this.#channels.set(service.typeName, made);
    return made;
  };

  #balancer(service: DescService): Balancer {
    const policy = servicePolicy(service);
    const { random, zone, clientId, balance = policy.balance } = this.#options;
    const subset = policy.subsetSize === undefined ? undefined : { clientId, size: policy.subsetSize };
    return createBalancer(balance, { random, ...(policy.zoneFirst && { zone }), ...(subset && { subset }) });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const channel of this.#channels.values()) channel[Symbol.dispose]();
    this.#channels.clear();
  }
}
