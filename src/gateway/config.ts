import { join } from "node:path";
import { discoverySettings, faultSettings, serverSettings } from "../app/settings.ts";
import type { EnvReader } from "../base/env.ts";
import { storeSettings } from "../store/settings.ts";
import { aggregatesOf } from "./aggregate/plan-source.ts";

/** What the gateway reads from its environment. */
export function gatewayConfig(read: EnvReader) {
  const { databaseUrl, dataDir } = storeSettings(read);
  return {
    ...serverSettings(read, { port: 8000 }),
    ...discoverySettings(read),
    ...faultSettings(read),
    answers: { databaseUrl, dataDir },
    cacheDir: join(dataDir, "cache", "gateway"),
    corsOrigins: read.list("CORS_ORIGINS", ["*"], "origins whose pages may call, between commas; * for all"),
    ...aggregateSettings(read),
    answerCacheBytes: read.int(
      "ANSWER_CACHE_BYTES",
      64 * 1024 * 1024,
      "memory for answers that may be given again; 0 for none",
    ),
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
