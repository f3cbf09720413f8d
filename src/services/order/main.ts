import { SagaService } from "../../../gen/heddle/saga/v1/saga_pb.ts";
import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import {
  OrderCancelledSchema,
  OrderConfirmedSchema,
  OrderCreatedSchema,
} from "../../../gen/shop/order/v1/events_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { heddleDescriptors } from "../../app/descriptors.ts";
import { openEvents } from "../../app/events.ts";
import { serve } from "../../app/run.ts";
import { orExit, readSettings } from "../../base/env.ts";
import { jsonLogger } from "../../base/log.ts";
import { createOutbox } from "../../events/outbox/outbox.ts";
import { sagaService } from "../../events/saga/saga-service.ts";
import { startSagaTimers } from "../../events/saga/saga-timers.ts";
import { callersToken } from "../../mesh/credentials.ts";
import { openMesh } from "../../mesh/mesh.ts";
import { openStore } from "../../store/orm.ts";
import { eventMetrics } from "../../telemetry/event-metrics.ts";
import { meshMetrics } from "../../telemetry/mesh-metrics.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { orderConfig } from "./config.ts";
import { OrderChanges } from "./order-changes.ts";
import { orderRows, orderSagas, orderEventRows as rows } from "./order-entity.ts";
import { orderSubscriptions } from "./order-events.ts";
import { orderService } from "./order-service.ts";
import { PlaceOrder } from "./place-order.ts";

const [title, name] = ["heddle order service", "order"];
const { logLevel, ...config } = readSettings(title, orderConfig);
const log = jsonLogger({ level: logLevel, fields: { service: name } });
await using store = await orExit(title, openStore({ ...orderRows, ...config, log }));
const metrics = createMetrics({ service: name });
const hooks = eventMetrics(metrics);
const { discovery, faults = "", dataDir, sagaTimeoutMs } = config;
await using mesh = await openMesh({
  discovery,
  faults,
  cacheDir: `${dataDir}/endpoints`,
  credentials: callersToken({ to: [UserService, CatalogService] }),
  hooks: meshMetrics(metrics),
  log,
});

const outbox = createOutbox({ source: name, rows: rows.events, maxBacklog: config.maxBacklog, hooks });
const changes = new OrderChanges({ store, log });
const placeOrder = new PlaceOrder({ publish: outbox.append, changes, sagaTimeoutMs });
await using events = await orExit(
  title,
  openEvents({
    ...config,
    name,
    store,
    rows,
    outbox,
    publishes: [OrderCreatedSchema, OrderConfirmedSchema, OrderCancelledSchema],
    subscriptions: orderSubscriptions(placeOrder),
    publishers: { catalog: CatalogService, user: UserService },
    resolver: mesh.resolver,
    meshOptions: { faults },
    hooks,
    log,
  }),
);
const sagas = { store, rows: orderSagas, sagas: [placeOrder.saga] };
await using _timers = startSagaTimers({ ...sagas, log });

const [users, catalog] = [mesh.client(UserService), mesh.client(CatalogService)];
const server = await orExit(
  title,
  serve({
    ...config,
    name,
    descriptors: heddleDescriptors,
    services: [
      [OrderService, orderService({ store, users, catalog, placeOrder })],
      [SagaService, sagaService(sagas)],
      ...events.services,
    ],
    metrics,
    log,
  }),
);
await server.drained;
