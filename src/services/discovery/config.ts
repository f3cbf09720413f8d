import type { EnvReader } from "../../base/env.ts";
import { type LogLevel, logLevels } from "../../base/log.ts";
import { storeSettings } from "../../store/settings.ts";

/** What discovery reads from its environment. */
export function discoveryConfig(read: EnvReader) {
  const port = read.port("PORT", 8500, "gRPC, gRPC-Web, Connect and REST, Consul's paths among them");
  return {
    host: read.text("HOST", "127.0.0.1", "address to listen on; 0.0.0.0 for all"),
    advertise: read.text("ADVERTISE", "", "host by which others reach this; if empty, HOST or the machine's name"),
    port,
    adminPort: read.port("ADMIN_PORT", port === 0 ? 0 : port + 1_000, "metrics and health, for machines"),
    zone: read.text("ZONE", "", "where this instance runs"),
    lease: {
      ttlMs: read.durationMs("LEASE_TTL", 15_000, "how long a lease lasts without renewal"),
      graceMs: read.durationMs("LEASE_GRACE", 3_000, "how long a lease outlives its keep-alive stream"),
    },
    lapsedRetentionMs: read.durationMs("LAPSED_RETENTION", 3_600_000, "how long a lapsed instance is still shown"),
    drainMs: read.durationMs("DRAIN_TIMEOUT", 10_000, "how long calls may finish after SIGTERM"),
    logLevel: read.choice<LogLevel>("LOG_LEVEL", logLevels, "info", logLevels.join(", ")),
    ...storeSettings(read),
  };
}
