import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import {
  StockRejectedSchema,
  StockReleasedSchema,
  StockReservedSchema,
} from "../../../gen/shop/catalog/v1/events_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { heddleDescriptors } from "../../app/descriptors.ts";
import { openEvents } from "../../app/events.ts";
import { serve } from "../../app/run.ts";
import { systemClock } from "../../base/clock.ts";
import { orExit, readSettings } from "../../base/env.ts";
import { jsonLogger } from "../../base/log.ts";
import { createOutbox } from "../../events/outbox/outbox.ts";
import { openMesh } from "../../mesh/mesh.ts";
import { openStore } from "../../store/orm.ts";
import { eventMetrics } from "../../telemetry/event-metrics.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { catalogSubscriptions } from "./catalog-events.ts";
import { catalogService } from "./catalog-service.ts";
import { catalogConfig } from "./config.ts";
import { catalogRows, catalogEventRows as rows } from "./product-entity.ts";
import { seed } from "./seed.ts";

const [title, name] = ["heddle catalog service", "catalog"];
const { logLevel, ...config } = readSettings(title, catalogConfig);
const log = jsonLogger({ level: logLevel, fields: { service: name } });
await using store = await orExit(title, openStore({ ...catalogRows, ...config, log }));
if (config.seed) log.info("seeded", { products: await seed(store, systemClock.wall()) });
const metrics = createMetrics({ service: name });
const hooks = eventMetrics(metrics);
const { discovery, faults = "", dataDir } = config;
await using mesh = await openMesh({ discovery, faults, cacheDir: `${dataDir}/endpoints`, log });

const outbox = createOutbox({ source: name, rows: rows.events, maxBacklog: config.maxBacklog, hooks });
await using events = await orExit(
  title,
  openEvents({
    ...config,
    name,
    store,
    rows,
    outbox,
    publishes: [StockReservedSchema, StockRejectedSchema, StockReleasedSchema],
    subscriptions: catalogSubscriptions({ publish: outbox.append }),
    publishers: { order: OrderService },
    resolver: mesh.resolver,
    meshOptions: { faults },
    hooks,
    log,
  }),
);
const services = [[CatalogService, catalogService({ store })], ...events.services] as const;
const server = await orExit(title, serve({ ...config, name, descriptors: heddleDescriptors, services, metrics, log }));
await server.drained;
