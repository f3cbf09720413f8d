import { type Clock, systemClock } from "../../base/clock.ts";
import { jsonLogger, type Logger } from "../../base/log.ts";
import { messageOf } from "../../base/message-of.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import { Watchable } from "../../base/watch.ts";
import { runDetached } from "../../call/context.ts";
import { type DnsLookup, dnsLookup } from "./dns-lookup.ts";
import { type DnsName, dnsNameOf } from "./dns-name.ts";
import { NameWatch } from "./name-watch.ts";
import type { Resolution, Resolver } from "./resolver.ts";

/** What names are looked up by. */
export interface DnsParts {
  /** By default the machine's own rules: its hosts file, its search domains, its DNS servers. */
  readonly lookup?: DnsLookup;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** Which services are found by which names. */
export interface DnsResolverOptions extends DnsParts {
  /**
   * Service name → "host:port", whose addresses are the endpoints; or → "host", whose SRV records
   * (`_grpc._tcp.host`) say endpoints, ports, priorities and weights. A service not among them has none.
   */
  readonly names: Readonly<Record<string, string>>;
}

/**
 * Finds endpoints by DNS: every address a name has is one, with the address for its id. Names are looked up again every
 * 30 s, and when an endpoint of theirs cannot be connected to, at most once a second. While a name cannot be looked up, or has
 * nothing any more, which is mostly an accident, the last good answer stays. Throws if a name is none.
 */
export function dnsResolver({ names, ...parts }: DnsResolverOptions): Resolver {
  const asked = namesOf(names);
  const watches = new Map<string, NameWatch>();
  const nobody = new Watchable<Resolution>({ kind: "live", endpoints: [] });
  const { lookup = dnsLookup(), clock = systemClock, random = systemRandom } = parts;
  const { log = jsonLogger({ level: "warn" }) } = parts;
  let isClosed = false;
  return {
    resolve(service) {
      const name = asked.get(service);
      if (name === undefined || isClosed) return watches.get(service)?.followed ?? nobody;
      const known = watches.get(service);
      if (known !== undefined) return known.followed;
      // Detached: the watch outlives the call that happened to be the first to ask.
      const made = runDetached(() => new NameWatch(name, { service, lookup, clock, random, log }));
      watches.set(service, made);
      return made.followed;
    },
    lookAgain: (service) => watches.get(service)?.lookAgain(),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      for (const watch of watches.values()) watch[Symbol.dispose]();
      if (parts.lookup === undefined) lookup.cancel?.();
    },
  };
}

function namesOf(names: Readonly<Record<string, string>>): ReadonlyMap<string, DnsName> {
  const read = Object.entries(names).map(([service, name]) => {
    try {
      return [service, dnsNameOf(name)] as const;
    } catch (reason) {
      throw new Error(`${service}: ${messageOf(reason)}`);
    }
  });
  return new Map(read);
}
