import type { EnvReader } from "../base/env.ts";
import { type LogLevel, logLevels } from "../base/log.ts";
import { messageOf } from "../base/message-of.ts";
import { faultPlanOf } from "../mesh/faults/plan.ts";
import { assertFaultsAllowed, faultsInProduction } from "../mesh/faults/production.ts";
import { defaultDiscovery } from "../mesh/mesh.ts";
import { engineNames } from "../wire/engines.ts";
import { tlsSettings } from "./tls-settings.ts";
import { tokenSettings } from "./token-settings.ts";
import { heddleVersion } from "./version.ts";

/** What a program that serves reads from its environment, whatever it serves. */
export function serverSettings(read: EnvReader, { port: defaultPort }: { readonly port: number }) {
  read.choice("HEDDLE_HTTP2", engineNames, "own", "whose HTTP/2: Heddle's own, or that of node:http2"); // the wire asks for it itself
  const port = read.port("PORT", defaultPort, "gRPC, gRPC-Web, Connect and REST");
  return {
    port,
    host: read.text("HOST", "127.0.0.1", "address to listen on; 0.0.0.0 for all"),
    advertise: read.text("ADVERTISE", "", "host by which others reach this; if empty, HOST or the machine's name"),
    adminPort: read.port("ADMIN_PORT", port === 0 ? 0 : port + 1_000, "metrics and health, for machines"),
    version: read.text("VERSION", heddleVersion, "what /health and discovery show"),
    zone: read.text("ZONE", "", "where this instance runs: callers in the same zone may prefer it"),
    drainMs: read.durationMs("DRAIN_TIMEOUT", 10_000, "how long calls may finish after SIGTERM"),
    ...tokenSettings(read),
    ...tlsSettings(read),
    logLevel: read.choice<LogLevel>("LOG_LEVEL", logLevels, "info", logLevels.join(", ")),
  };
}

/** Where a program finds discovery. */
export function discoverySettings(read: EnvReader) {
  return {
    discovery: read.text("HEDDLE_DISCOVERY", defaultDiscovery, "host:port of discovery, several between commas"),
  };
}

/** What a program that calls others lets go wrong in its calls on purpose. */
export function faultSettings(read: EnvReader) {
  const nodeEnv = read.text("NODE_ENV", "", "production refuses HEDDLE_FAULTS");
  const inProduction = read.choice(faultsInProduction, ["no", "yes"], "no", "yes: not even production refuses them");
  const about = "what goes wrong in calls on purpose: JSON of a heddle.fault.v1.FaultPlan, or @file";
  const faults = read.parsed("HEDDLE_FAULTS", "", about, (raw) => {
    try {
      const plan = faultPlanOf(raw);
      if (plan.faults.length > 0) assertFaultsAllowed({ nodeEnv, inProduction });
      return plan;
    } catch (reason) {
      throw new Error(`is not taken: ${messageOf(reason)}`);
    }
  });
  return faults === undefined ? {} : { faults };
}
