import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { heddleDescriptors } from "../../app/descriptors.ts";
import { serve } from "../../app/run.ts";
import { orExit, readSettings } from "../../base/env.ts";
import { jsonLogger } from "../../base/log.ts";
import { callersToken } from "../../mesh/credentials.ts";
import { openMesh } from "../../mesh/mesh.ts";
import { openStore } from "../../store/orm.ts";
import { meshMetrics } from "../../telemetry/mesh-metrics.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { orderConfig } from "./config.ts";
import { OrderChanges } from "./order-changes.ts";
import { orderRows } from "./order-entity.ts";
import { orderService } from "./order-service.ts";

const title = "heddle order service";
const { logLevel, ...config } = readSettings(title, orderConfig);
const log = jsonLogger({ level: logLevel, fields: { service: "order" } });
await using store = await orExit(title, openStore({ ...orderRows, ...config, log }));
const metrics = createMetrics({ service: "order" });
await using mesh = await openMesh({
  discovery: config.discovery,
  ...(config.faults && { faults: config.faults }),
  cacheDir: `${config.dataDir}/endpoints`,
  credentials: callersToken({ to: [UserService, CatalogService] }),
  hooks: meshMetrics(metrics),
  log,
});

const [users, catalog] = [mesh.client(UserService), mesh.client(CatalogService)];
const changes = new OrderChanges({ store, log });
const implementation = orderService({ store, users, catalog, changes });
const server = await orExit(
  title,
  serve({
    ...config,
    name: "order",
    descriptors: heddleDescriptors,
    services: [[OrderService, implementation]],
    metrics,
    log,
  }),
);
await server.drained;
