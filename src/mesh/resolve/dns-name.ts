import type { DnsLookup, SrvRecord } from "./dns-lookup.ts";
import type { Endpoint } from "./resolver.ts";
import { endpointAt, hostAndPort } from "./static.ts";

/** What is asked of DNS: the addresses of a host, all with one port; or where a service listens. */
export type DnsName =
  | { readonly kind: "host"; readonly host: string; readonly port: number }
  | { readonly kind: "service"; readonly name: string };

const hostPart = /^(?:\[(?<bracketed>[0-9A-Fa-f:.%]+)\]|(?<plain>[^:[\]/\s]+))(?::(?<port>\d{1,5}))?$/;

/**
 * Reads "users.internal:8001" as a host with a port, and "users.internal", which has none, as the service
 * `_grpc._tcp.users.internal`, whose SRV records say the port. A name that begins with an underscore is taken as it is.
 */
export function dnsNameOf(text: string): DnsName {
  const { bracketed, plain = bracketed, port } = hostPart.exec(text)?.groups ?? {};
  if (plain === undefined) throw new Error(`"${text}" is no name that DNS could know: it has to be host:port or host`);
  const isService = plain.startsWith("_");
  if (port === undefined) return { kind: "service", name: isService ? plain : `_grpc._tcp.${plain}` };
  if (isService) throw new Error(`"${text}" has a port: that of a service is in its SRV records`);
  if (Number(port) < 1 || Number(port) > 65_535) throw new Error(`"${text}": a port is from 1 to 65535`);
  return { kind: "host", host: plain, port: Number(port) };
}

/** The endpoints that a name has now, in an order that is always the same; rejects where there are none. */
export async function endpointsOf(asked: DnsName, lookup: DnsLookup): Promise<readonly Endpoint[]> {
  const found = asked.kind === "host" ? await ofHost(asked, lookup) : await ofService(asked.name, lookup);
  if (found.length === 0)
    throw new Error(asked.kind === "host" ? `${asked.host} has no address` : noRecord(asked.name));
  const byId = new Map(found.map((endpoint) => [endpoint.id, endpoint]));
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

const noRecord = (name: string) => `no SRV record of ${name} says where it listens`;

async function ofHost({ host, port }: { host: string; port: number }, lookup: DnsLookup): Promise<Endpoint[]> {
  return (await lookup.addresses(host)).map((address) => endpointAt(hostAndPort(address, port), host));
}

/** Those of the lowest priority of which any has an address: the others are for when these are gone (RFC 2782). */
async function ofService(name: string, lookup: DnsLookup): Promise<Endpoint[]> {
  const records = (await lookup.services(name)).filter((record) => record.name !== ".");
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  let problem: unknown;
  for (const priority of priorities) {
    const same = records.filter((record) => record.priority === priority);
    const answers = await Promise.allSettled(same.map((record) => targets(record, lookup)));
    const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    if (found.length > 0) return weighted(found);
    problem ??= answers.find((answer) => answer.status === "rejected")?.reason;
  }
  if (problem !== undefined) throw problem;
  return [];
}

interface Target {
  readonly endpoint: Endpoint;
  readonly weight: number;
}

/** A host with several addresses shares its weight out among them. */
async function targets({ name, port, weight }: SrvRecord, lookup: DnsLookup): Promise<readonly Target[]> {
  const addresses = await lookup.addresses(name);
  return addresses.map((address) => ({
    endpoint: endpointAt(hostAndPort(address, port), name),
    weight: weight / addresses.length,
  }));
}

/** Weights of DNS are from 0 to 65535, ours from 1 to 1000: their mean becomes 100, the share of one that says nothing. */
function weighted(found: readonly Target[]): Endpoint[] {
  const mean = found.reduce((sum, { weight }) => sum + weight, 0) / found.length;
  return found.map(({ endpoint, weight }) => {
    if (mean === 0) return endpoint;
    return { ...endpoint, weight: Math.min(1_000, Math.max(1, Math.round((100 * weight) / mean))) };
  });
}
