import { serverSettings } from "../../app/settings.ts";
import type { EnvReader } from "../../base/env.ts";
import { storeSettings } from "../../store/settings.ts";

/** What discovery reads from its environment. */
export function discoveryConfig(read: EnvReader) {
  return {
    ...serverSettings(read, { port: 8500 }),
    ...storeSettings(read),
    lease: {
      ttlMs: read.durationMs("LEASE_TTL", 15_000, "how long a lease lasts without renewal"),
      graceMs: read.durationMs("LEASE_GRACE", 3_000, "how long a lease outlives its keep-alive stream"),
    },
    lapsedRetentionMs: read.durationMs("LAPSED_RETENTION", 3_600_000, "how long a lapsed instance is still shown"),
  };
}
