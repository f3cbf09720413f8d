import { join } from "node:path";
import { discoverySettings, faultSettings, serverSettings } from "../app/settings.ts";
import type { EnvReader } from "../base/env.ts";
import { messageOf } from "../base/message-of.ts";
import { checkRedisUrl } from "../store/redis-url.ts";
import { storeSettings } from "../store/settings.ts";
import { addressSet } from "../wire/addresses.ts";
import { aggregatesOf } from "./aggregate/plan-source.ts";
import { jsonSetting } from "./json-setting.ts";

/** What the gateway reads from its environment. */
export function gatewayConfig(read: EnvReader) {
  const { databaseUrl, dataDir } = storeSettings(read);
  return {
    ...serverSettings(read, { port: 8000 }),
    ...discoverySettings(read),
    ...faultSettings(read),
    answers: { databaseUrl, dataDir },
    cacheDir: join(dataDir, "cache", "gateway"),
    ...limitSettings(read),
    corsOrigins: read.list("CORS_ORIGINS", ["*"], "origins whose pages may call, between commas; * for all"),
    ...aggregateSettings(read),
    answerCacheBytes: read.int(
      "ANSWER_CACHE_BYTES",
      64 * 1024 * 1024,
      "memory for answers that may be given again; 0 for none",
    ),
    docs: read.choice("DOCS", ["yes", "no"], "yes", "whether /docs and /openapi.json tell of the API") !== "no",
    apiTitle: read.text("API_TITLE", "API", "what they call it"),
    json: read.parsed("REST_JSON", "", "how REST answers: enum-numbers, proto-names, no-defaults", jsonSetting) ?? {},
    upstreamTimeoutMs: read.durationMs("UPSTREAM_TIMEOUT", 5_000, "for calls whose contract and caller do not say"),
  };
}

function aggregateSettings(read: EnvReader) {
  const about = "paths composed of several calls: JSON of a heddle.gateway.v1.AggregatePlan, or @file";
  const aggregates = read.parsed("AGGREGATES", "", about, (raw) => {
    try {
      return aggregatesOf(raw);
    } catch (reason) {
      throw new Error(`is not taken: ${messageOf(reason)}`);
    }
  });
  return aggregates === undefined ? {} : { aggregates };
}

/** Whom the gateway lets in how often, and when nobody. */
function limitSettings(read: EnvReader) {
  const about = "networks whose X-Forwarded-For is believed, between commas: 10.0.0.0/8,fd00::/8";
  return {
    trustedProxies: read.parsed("TRUSTED_PROXIES", "", about, networks),
    limits: shedSettings(read),
    bodies: {
      maxBytes: read.int("BODIES_MEMORY", 256, "MiB that the bodies of requests may take together", { min: 8 }) * mib,
      maxAtOnce: read.int("BODIES_AT_ONCE", 2_000, "bodies of requests that are read at once", { min: 1 }),
      timeoutMs: read.durationMs("BODY_TIMEOUT", 30_000, "how long the body of a request may take to arrive"),
    },
    redisUrl: read.secret("REDIS_URL", "", "redis://host:port: gateways share their rate limits there", checkRedisUrl),
  };
}

const mib = 1024 * 1024;

function shedSettings(read: EnvReader) {
  const about = "calls are refused when the event loop keeps them waiting longer; 0: never";
  const targetDelayMs = read.durationMs("SHED_DELAY", 100, about);
  return targetDelayMs === 0 ? (false as const) : { targetDelayMs };
}

function networks(raw: string): readonly string[] {
  const list = raw.split(",").map((network) => network.trim());
  if (raw === "") return [];
  addressSet(list);
  return list;
}
