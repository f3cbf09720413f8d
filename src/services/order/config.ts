import type { EnvReader } from "../../base/env.ts";
import { type LogLevel, logLevels } from "../../base/log.ts";
import { storeSettings } from "../../store/settings.ts";

/** What the order service reads from its environment. */
export function orderConfig(read: EnvReader) {
  const port = read.port("PORT", 8002, "gRPC, gRPC-Web, Connect and REST");
  return {
    host: read.text("HOST", "127.0.0.1", "address to listen on; 0.0.0.0 for all"),
    advertise: read.text("ADVERTISE", "", "host by which others reach this; if empty, HOST or the machine's name"),
    port,
    adminPort: read.port("ADMIN_PORT", port === 0 ? 0 : port + 1_000, "metrics and health, for machines"),
    discovery: read.text("HEDDLE_DISCOVERY", "127.0.0.1:8500", "host:port of discovery, several between commas"),
    version: read.text("VERSION", "0.1.0", "what /health and discovery show"),
    zone: read.text("ZONE", "", "where this instance runs: callers in the same zone may prefer it"),
    drainMs: read.durationMs("DRAIN_TIMEOUT", 10_000, "how long calls may finish after SIGTERM"),
    logLevel: read.choice<LogLevel>("LOG_LEVEL", logLevels, "info", logLevels.join(", ")),
    ...storeSettings(read),
  };
}
