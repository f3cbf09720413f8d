import { lookup, Resolver } from "node:dns/promises";

/** Where a name says that a service listens (RFC 2782). */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  /** The lowest comes first. */
  readonly priority: number;
  /** Its share among those of one priority. */
  readonly weight: number;
}

/** What the names of machines and services are looked up with. What is not there is an error, or an empty list. */
export interface DnsLookup {
  /** All addresses of a host. */
  addresses(host: string): Promise<readonly string[]>;
  /** All SRV records of a name. */
  services(name: string): Promise<readonly SrvRecord[]>;
  /** Gives up what is being looked up, where that can be done. */
  cancel?(): void;
}

/**
 * Looks names up by the machine's own rules: its hosts file, its search domains, its DNS servers. With `servers`
 * ("host:port") by these alone.
 */
export function dnsLookup(servers?: readonly string[]): DnsLookup {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  return {
    addresses: servers === undefined ? byTheMachine : (host) => byServers(resolver, host),
    services: (name) => resolver.resolveSrv(name),
    cancel: () => resolver.cancel(),
  };
}

async function byTheMachine(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** One that is an address already is no question for a server. */
const isAddress = /^[\d.]+$|:/;

/** Addresses of one kind do where there are none of the other. */
async function byServers(resolver: Resolver, host: string): Promise<readonly string[]> {
  if (isAddress.test(host)) return [host];
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (found.length > 0) return found;
  for (const answer of answers) if (answer.status === "rejected") throw answer.reason;
  return [];
}
