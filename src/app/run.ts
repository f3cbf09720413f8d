import type { DescService } from "@bufbuild/protobuf";
import type { Registry } from "prom-client";
import { systemClock } from "../base/clock.ts";
import { keepMessagesYoung } from "../base/keep-messages-young.ts";
import { jsonLogger, type Logger } from "../base/log.ts";
import { type Random, systemRandom } from "../base/random.ts";
import { Watchable } from "../base/watch.ts";
import { type BearerTokenOptions, bearerTokens } from "../security/bearer-tokens.ts";
import { Certificates, type TlsFiles } from "../security/certificates.ts";
import { allHooks } from "../server/hooks.ts";
import { openServer, type ServerOptions, type ServiceEntries } from "../server/serve.ts";
import { bugLog } from "../telemetry/bug-log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { serverMetrics } from "../telemetry/server-metrics.ts";
import { defaultEngine } from "../wire/engines.ts";
import { type AdminOptions, openAdmin } from "./admin.ts";
import { openRegistration, reachableHost } from "./registration.ts";
import { Running, type RunningServer } from "./running.ts";

/** What to serve, and how to be found. */
export interface ServeOptions<T extends readonly DescService[]> extends Omit<ServerOptions, "services" | "hooks"> {
  /** What people call the service: "user". Replicas share it. */
  readonly name: string;
  readonly services: ServiceEntries<T>;
  /** The port of the pages for machines: `/metrics`, `/healthz`, `/readyz`, `/calls`. 0 lets the system choose; unset, no pages. */
  readonly adminPort?: number;
  /** Discovery's "host:port"; `false`: register nowhere. Default `HEDDLE_DISCOVERY`, else 127.0.0.1:8500. */
  readonly discovery?: string | false;
  /** The host by which others reach this one. Unset or empty: `host`, or the machine's name when that is a wildcard. */
  readonly advertise?: string;
  readonly zone?: string;
  /** Share of the calls against other replicas, from 1 to 1000. Default 100. */
  readonly weight?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** How long draining waits for calls under way, in milliseconds. Default 10 s. */
  readonly drainMs?: number;
  /** Whether SIGTERM and SIGINT drain the server. Default true. */
  readonly signals?: boolean;
  /** Where `/metrics` counts, for programs that have more to count. Made when unset. */
  readonly metrics?: Registry;
  /** Files of the certificate and its key, followed while they change; instead of `tls`. With them the port speaks TLS only. */
  readonly tlsFiles?: TlsFiles;
  /** Which bearer tokens prove callers, for contracts that ask for access: what `bearerTokens` takes. `authenticate` goes before it. */
  readonly tokens?: BearerTokenOptions;
  readonly log?: Logger;
  readonly random?: Random;
}

/**
 * Serves the services and registers them in discovery until SIGTERM, SIGINT or `drain()`. The process is a server's from then on:
 * V8 is told to expect messages that do not last.
 */
export async function serve<const T extends readonly DescService[]>(options: ServeOptions<T>): Promise<RunningServer> {
  keepMessagesYoung();
  const { name, log = jsonLogger({ fields: { service: name } }), signals = true, drainMs = 10_000 } = options;
  const { engine = defaultEngine, clock = systemClock, random = systemRandom } = options;
  const { metrics = createMetrics({ service: name }) } = options;
  const hooks = allHooks(serverMetrics(metrics), bugLog(log));
  const { authenticate = options.tokens && bearerTokens({ clock, log, ...options.tokens }) } = options;
  const certificates = options.tlsFiles && new Certificates({ ...options.tlsFiles, clock, log });
  const tls = certificates?.pair ?? options.tls;
  const proof = { ...(authenticate && { authenticate }), ...(tls && { tls }) };
  const server = await openServer({ ...options, engine, clock, log, hooks, ...proof });
  certificates?.follow((pair) => server.setTls(pair));
  const { host, port } = server;
  const started = new Watchable(false);
  const admin = await openPages({ engine, host, port: options.adminPort, server, metrics, started });
  const tools = { engine, clock, random, log };
  const isSecure = tls !== undefined;
  const told = { name, host: reachableHost(host, options.advertise), port, isSecure, adminPort: admin?.port, ...tools };
  const registration = options.discovery === false ? undefined : openRegistration({ ...about(options), ...told });
  const running = new Running({ server, certificates, admin, registration, log, drainMs, signals });
  await registration;
  started.set(true);
  log.info("serving", { host, port, ...(isSecure && { tls: true }), ...(admin && { admin: admin.port }) });
  return running;
}

/** The pages for machines, where a port for them is given; a server that cannot have them does not start. */
async function openPages({ port, ...options }: Omit<AdminOptions, "port"> & { readonly port: number | undefined }) {
  if (port === undefined) return undefined;
  try {
    return await openAdmin({ ...options, port });
  } catch (reason) {
    await options.server.drain(0);
    throw reason;
  }
}

/** What discovery is told beyond where it is. */
function about(options: ServeOptions<readonly DescService[]>) {
  const { discovery, zone = "", weight = 100, version = "", metadata = {} } = options;
  const services = options.services.map(([service]) => service.typeName);
  return { services, ...(discovery ? { discovery } : {}), zone, weight, version, metadata };
}
