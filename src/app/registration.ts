import { hostname } from "node:os";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { v7 as uuid } from "uuid";
import { DiscoveryService } from "../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { HealthCheckSchema } from "../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { openMesh } from "../mesh/mesh.ts";
import { hostAndPort } from "../mesh/resolve/static.ts";
import type { Engine } from "../wire/engine.ts";
import { Lease } from "./lease.ts";

/** How a server is told of to others. */
export interface RegistrationOptions {
  readonly name: string;
  /** Full names of its Protobuf services. */
  readonly services: readonly string[];
  /** Discovery's "host:port"; unset, the environment's. */
  readonly discovery?: string;
  readonly host: string;
  readonly port: number;
  /** Whether its port speaks TLS. */
  readonly isSecure: boolean;
  readonly adminPort: number | undefined;
  readonly zone: string;
  readonly weight: number;
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly engine: Engine;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

/** How long a start waits for its first registration; after that it serves and goes on trying. */
const patienceMs = 2_000;

/** Registers a server, and keeps it registered until disposed of. Discovery being away delays it and fails nothing. */
export async function openRegistration(options: RegistrationOptions): Promise<AsyncDisposable> {
  const { discovery, host, adminPort, isSecure, engine, log, clock, random, ...about } = options;
  const mesh = await openMesh({ ...(discovery && { discovery }), faults: "", engine, log, clock, random });
  const at = addressOf(options);
  const metadata = { ...about.metadata, ...at.metadata };
  const check = at.healthCheck && { healthCheck: at.healthCheck };
  const instance = { ...about, ...check, id: `${about.name}-${uuid()}`, host, metadata, services: [...about.services] };
  const lease = new Lease({ discovery: mesh.client(DiscoveryService), instance, clock, random, log });
  await registeredInTime(lease, clock).catch(() => log.warn("not registered yet; serving all the same", { discovery }));
  return {
    async [Symbol.asyncDispose]() {
      await lease[Symbol.asyncDispose]();
      await mesh[Symbol.asyncDispose]();
    },
  };
}

/**
 * How it is reached, for its callers and for discovery's checks. Its certificate may be for a name by which only its
 * callers know it, so discovery asks the pages for machines how it is, or else whether anybody listens.
 */
export function addressOf({
  host,
  adminPort,
  isSecure,
}: Pick<RegistrationOptions, "host" | "adminPort" | "isSecure">): {
  readonly metadata: Record<string, string>;
  readonly healthCheck?: MessageInitShape<typeof HealthCheckSchema>;
} {
  const admin = adminPort === undefined ? undefined : hostAndPort(host, adminPort);
  const metadata = { ...(admin && { admin }), ...(isSecure && { scheme: "https" }) };
  if (!isSecure) return { metadata };
  if (admin === undefined) return { metadata, healthCheck: { probe: { case: "tcp", value: {} } } };
  return { metadata, healthCheck: { probe: { case: "http", value: { url: `http://${admin}/readyz` } } } };
}

/** The host by which others reach a server: a wildcard is where one listens, not where one is reached. */
export function reachableHost(host: string, advertise = ""): string {
  if (advertise !== "") return advertise;
  return host === "0.0.0.0" || host === "::" ? hostname() : host;
}

async function registeredInTime(lease: Lease, clock: Clock): Promise<void> {
  const patience = new AbortController();
  const timer = clock.setTimer(patienceMs, () => patience.abort(new Error(`not registered within ${patienceMs} ms`)));
  try {
    await lease.registered(patience.signal);
  } finally {
    timer.cancel();
  }
}
