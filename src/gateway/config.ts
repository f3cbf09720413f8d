import { join } from "node:path";
import { discoverySettings, faultSettings, serverSettings } from "../app/settings.ts";
import type { EnvReader } from "../base/env.ts";
import { aggregatesOf } from "./aggregate/plan-source.ts";

/** What the gateway reads from its environment. */
export function gatewayConfig(read: EnvReader) {
  const dataDir = read.text("HEDDLE_DATA", ".heddle/data", "what is known last of the services is kept below it");
  return {
    ...serverSettings(read, { port: 8000 }),
    ...discoverySettings(read),
    ...faultSettings(read),
    cacheDir: join(dataDir, "cache", "gateway"),
    corsOrigins: read.list("CORS_ORIGINS", ["*"], "origins whose pages may call, between commas; * for all"),
    ...aggregateSettings(read),
    docs: read.choice("DOCS", ["yes", "no"], "yes", "whether /docs and /openapi.json tell of the API") !== "no",
    apiTitle: read.text("API_TITLE", "API", "what they call it"),
    upstreamTimeoutMs: read.durationMs("UPSTREAM_TIMEOUT", 5_000, "for calls whose contract and caller do not say"),
  };
}

function aggregateSettings(read: EnvReader) {
  const about = "paths composed of several calls: JSON of a heddle.gateway.v1.AggregatePlan, or @file";
  const aggregates = read.parsed("AGGREGATES", "", about, (raw) => {
    try {
      return aggregatesOf(raw);
    } catch (reason) {
      throw new Error(`is not taken: ${reason instanceof Error ? reason.message : String(reason)}`);
    }
  });
  return aggregates === undefined ? {} : { aggregates };
}
