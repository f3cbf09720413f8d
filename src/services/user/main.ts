import { OrderService } from "../../../gen/shop/order/v1/order_pb.ts";
import { UserDeletedSchema } from "../../../gen/shop/user/v1/events_pb.ts";
import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { UserService as UserServiceV2 } from "../../../gen/shop/user/v2/user_pb.ts";
import { heddleDescriptors } from "../../app/descriptors.ts";
import { openEvents } from "../../app/events.ts";
import { serve } from "../../app/run.ts";
import { orExit, readSettings } from "../../base/env.ts";
import { jsonLogger } from "../../base/log.ts";
import { createOutbox } from "../../events/outbox/outbox.ts";
import { openMesh } from "../../mesh/mesh.ts";
import { openStore } from "../../store/orm.ts";
import { eventMetrics } from "../../telemetry/event-metrics.ts";
import { createMetrics } from "../../telemetry/metrics.ts";
import { userConfig } from "./config.ts";
import { userEventRows as rows, userRows } from "./user-entity.ts";
import { userOrderSubscription } from "./user-order-events.ts";
import { userService } from "./user-service.ts";
import { userServiceV2 } from "./user-service-v2.ts";

const [title, name] = ["heddle user service", "user"];
const { logLevel, ...config } = readSettings(title, userConfig);
const log = jsonLogger({ level: logLevel, fields: { service: name } });
await using store = await orExit(title, openStore({ ...userRows, ...config, log }));
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
    publishes: [UserDeletedSchema],
    subscriptions: [userOrderSubscription()],
    publishers: { order: OrderService },
    resolver: mesh.resolver,
    meshOptions: { faults },
    hooks,
    log,
  }),
);
const parts = { store, publish: outbox.append };
const server = await orExit(
  title,
  serve({
    ...config,
    name,
    descriptors: heddleDescriptors,
    services: [[UserService, userService(parts)], [UserServiceV2, userServiceV2(parts)], ...events.services],
    metrics,
    log,
  }),
);
await server.drained;
