import { type DnsParts, dnsResolver } from "./dns.ts";
import type { Resolver } from "./resolver.ts";
import { staticResolver } from "./static.ts";

/**
 * A resolver from texts, one for each service:
 *
 *     resolverOf({ "shop.user.v1.UserService": "dns:users.internal:8001" });
 *
 * "dns:host:port" takes every address of the host; "dns:host" what the host's SRV records (`_grpc._tcp.host`) say;
 * "static:10.0.0.1:8001,10.0.0.2:8001" the addresses themselves. A service that is not named has no endpoints. Throws,
 * naming the service, at a text that is none of these.
 */
export function resolverOf(targets: Readonly<Record<string, string>>, parts: DnsParts = {}): Resolver {
  const names: Record<string, string> = {};
  const addresses: Record<string, readonly string[]> = {};
  for (const [service, target] of Object.entries(targets)) {
    const [, scheme, rest = ""] = /^([a-z]+):(?:\/\/\/?)?(.*)$/.exec(target.trim()) ?? [];
    if (scheme === "dns") names[service] = rest;
    else if (scheme === "static") addresses[service] = addressesOf(rest, service);
    else throw new Error(`${service}: "${target}" is neither "dns:host:port", "dns:host" nor "static:host:port,…"`);
  }
  return either(named(names, parts), staticResolver(addresses), (service) => service in names);
}

function named(names: Readonly<Record<string, string>>, parts: DnsParts): Resolver {
  return dnsResolver({ names, ...parts });
}

function either(one: Resolver, other: Resolver, isOne: (service: string) => boolean): Resolver {
  return {
    resolve: (service) => (isOne(service) ? one : other).resolve(service),
    lookAgain: (service) => one.lookAgain?.(service),
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

function addressesOf(text: string, service: string): readonly string[] {
  const addresses = text.split(",").map((address) => address.trim());
  const wrong = addresses.find((address) => !/^(\[[^\]]+\]|[^:\s]+):\d{1,5}$/.test(address));
  if (wrong !== undefined) throw new Error(`${service}: "${wrong}" is no address: it has to be host:port`);
  return addresses;
}
