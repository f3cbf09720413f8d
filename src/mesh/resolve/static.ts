import { Watchable } from "../../base/watch.ts";
import type { Endpoint, Resolution, Resolver } from "./resolver.ts";

/** An endpoint of which no more is known than its address: "host:port", or "https://host:port" where it speaks TLS. */
export function endpointAt(target: string, name = target): Endpoint {
  const isSecure = target.startsWith(secure);
  const address = isSecure ? target.slice(secure.length) : target;
  const scheme = isSecure && ({ scheme: "https" } as const);
  return { id: target, name, address, ...scheme, zone: "", weight: 100, version: "" };
}

const secure = "https://";

/** What a session pool takes to reach an endpoint: its address, and before it the scheme where that is TLS. */
export function targetOf({ address, scheme }: Endpoint): string {
  return scheme === undefined ? address : `${secure}${address}`;
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
