import type { Registry } from "prom-client";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { type Buckets, LocalBuckets } from "../../server/policy/local-buckets.ts";
import { SharedBuckets } from "../../server/shared-buckets.ts";
import { openRedisBuckets } from "../../store/redis-buckets.ts";
import { sharingGauge } from "../../telemetry/sharing-gauge.ts";
import type { OpenParts } from "../open-parts.ts";

/** What opening buckets needs. */
export interface BucketsOptions {
  /** If empty or unset, the buckets are this gateway's own. */
  readonly redisUrl: string | undefined;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where what is to be closed is noted. */
  readonly opened: OpenParts;
}

/** Begins every key: services that keep limits, too, count elsewhere. */
const prefix = "heddle:gateway:rate:";

/** The buckets of the contracts' rate limits: in memory, or in the Redis that all gateways share. */
export async function openBuckets({ redisUrl, metrics, clock, log, opened }: BucketsOptions): Promise<Buckets> {
  if (redisUrl === undefined || redisUrl === "") return new LocalBuckets({ now: clock.now });
  const redis = opened.use(await openRedisBuckets({ redisUrl, prefix, clock, log }));
  return new SharedBuckets({
    ask: (key, limit) => redis.draw(key, limit),
    clock,
    log,
    onChange: sharingGauge(metrics),
  });
}
