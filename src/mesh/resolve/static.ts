import { Watchable } from "../../base/watch.ts";
import type { Endpoint, Resolution, Resolver } from "./resolver.ts";

/** An endpoint of which no more is known than its address. */
export function endpointAt(address: string, name = address): Endpoint {
  return { id: address, name, address, zone: "", weight: 100, version: "" };
}

/** "host:port", with the brackets that a host with colons has to have. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Endpoints written down: service name → addresses ("host:port"). A service not among them has none. */
export function staticResolver(addresses: Readonly<Record<string, readonly string[]>>): Resolver {
  const known = new Map<string, Watchable<Resolution>>();
  return {
    resolve(service) {
      const found = known.get(service);
      if (found !== undefined) return found;
      const endpoints = (addresses[service] ?? []).map((address) => endpointAt(address));
      const made = new Watchable<Resolution>({ kind: "live", endpoints });
      known.set(service, made);
      return made;
    },
    async [Symbol.asyncDispose]() {},
  };
}
