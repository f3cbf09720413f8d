import { join } from "node:path";
import type { EnvReader } from "../base/env.ts";
import { type LogLevel, logLevels } from "../base/log.ts";

/** What the gateway reads from its environment. */
export function gatewayConfig(read: EnvReader) {
  const port = read.port("PORT", 8000, "REST, Connect, gRPC-Web and gRPC");
  const dataDir = read.text("HEDDLE_DATA", ".heddle/data", "what is known last of the services is kept below it");
  return {
    host: read.text("HOST", "127.0.0.1", "address to listen on; 0.0.0.0 for all"),
    advertise: read.text("ADVERTISE", "", "host by which others reach this; if empty, HOST or the machine's name"),
    port,
    adminPort: read.port("ADMIN_PORT", port === 0 ? 0 : port + 1_000, "metrics and health, for machines"),
    discovery: read.text("HEDDLE_DISCOVERY", "127.0.0.1:8500", "host:port of discovery, several between commas"),
    cacheDir: join(dataDir, "cache", "gateway"),
    corsOrigins: read.list("CORS_ORIGINS", ["*"], "origins whose pages may call, between commas; * for all"),
    upstreamTimeoutMs: read.durationMs("UPSTREAM_TIMEOUT", 5_000, "for calls whose contract and caller do not say"),
    version: read.text("VERSION", "0.1.0", "what /health and discovery show"),
    zone: read.text("ZONE", "", "where this instance runs"),
    drainMs: read.durationMs("DRAIN_TIMEOUT", 10_000, "how long calls may finish after SIGTERM"),
    logLevel: read.choice<LogLevel>("LOG_LEVEL", logLevels, "info", logLevels.join(", ")),
  };
}
