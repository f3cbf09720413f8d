import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type DiscoveryService,
  type KeepAliveRequest,
  type KeepAliveResponse,
  KeepAliveResponseSchema,
  type RegisterRequest,
} from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { Instance } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Clock } from "../../base/clock.ts";
import { notFound } from "../../call/errors.ts";
import { cutPage, readPage } from "../../store/page-token.ts";
import { groupByName, groupOf } from "./mapping.ts";
import type { Registrar } from "./registrar.ts";
import { termOf } from "./registration.ts";
import type { Registry } from "./registry.ts";
import { onAbort, untilAnyAborts } from "./streams.ts";
import { watch } from "./watchers.ts";

/** What the handlers stand on. */
export interface DiscoveryServiceOptions {
  readonly registry: Registry;
  readonly registrar: Registrar;
  readonly leaseTtlMs: number;
  readonly clock: Clock;
  /** Aborts when discovery goes, which ends every stream so that its clients look for it again. */
  readonly closing: AbortSignal;
}

const defaultPageSize = 100;
const listScope = "discovery services";

/** heddle.discovery.v1.DiscoveryService. Requests are valid already. */
export function discoveryService(options: DiscoveryServiceOptions): ServiceImpl<typeof DiscoveryService> {
  const { registry, registrar, leaseTtlMs, clock, closing } = options;
  const leaseTtl = durationFromMs(leaseTtlMs);
  return {
    async register({ instance, lease }) {
      const term = termOf(lease);
      const entry = await registrar.register({ instance: given(instance), term });
      return { instance: entry.instance, ...(term === "kept-alive" && { leaseTtl }) };
    },
    keepAlive: (requests, { signal }) => keepAlive(options, requests, signal),
    async deregister({ id, name }) {
      await registrar.deregister({ id, name });
      return {};
    },
    resolve({ service, includeUnhealthy }) {
      const entries = registry.select({ service, includeUnhealthy });
      return { instances: entries.map((entry) => entry.instance), version: registry.version };
    },
    watch: ({ service, includeUnhealthy }, { signal }: HandlerContext) =>
      watch({ registry, clock, selection: { service, includeUnhealthy }, signals: [signal, closing] }),
    listServices({ pageSize, pageToken }) {
      const page = readPage({ pageSize: pageSize || defaultPageSize, pageToken }, listScope);
      const { after } = page;
      const services = groupByName(registry.all()).filter(({ name }) => after === undefined || name > after);
      const { rows, nextPageToken } = cutPage(services, page, listScope, ({ name }) => name);
      return { services: [...rows], nextPageToken };
    },
    getService({ name }) {
      const service = groupOf(registry.select({ service: name, includeUnhealthy: true }), name);
      if (!service) throw notFound("service", name, "heddle.discovery.v1");
      return { service };
    },
  };
}

/**
 * Renews until the stream ends, however it ends; what hung on it then has a short while to be renewed by another. When
 * discovery itself goes, nothing is let go: that is not the client's doing.
 */
async function* keepAlive(
  { registrar, leaseTtlMs, closing }: DiscoveryServiceOptions,
  requests: AsyncIterable<KeepAliveRequest>,
  signal: AbortSignal,
): AsyncGenerator<KeepAliveResponse> {
  const holder = Symbol("keep-alive stream");
  const release = () => registrar.release(holder);
  using _stopping = onAbort([signal], release);
  try {
    for await (const { id } of untilAnyAborts(requests, [signal, closing])) {
      const renewal = registrar.renew(id, holder);
      const leaseTtl = renewal === "renewed" ? durationFromMs(leaseTtlMs) : undefined;
      yield create(KeepAliveResponseSchema, { id, known: renewal !== "unknown", leaseTtl });
    }
  } finally {
    release();
  }
}

/** What validation has seen to be there. */
function given(instance: RegisterRequest["instance"]): Instance {
  if (!instance) throw new TypeError("a request to register without an instance passed validation");
  return instance;
}
