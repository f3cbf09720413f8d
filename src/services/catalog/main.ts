import { CatalogService } from "../../../gen/shop/catalog/v1/catalog_pb.ts";
import { heddleDescriptors } from "../../app/descriptors.ts";
import { serve } from "../../app/run.ts";
import { systemClock } from "../../base/clock.ts";
import { orExit, readSettings } from "../../base/env.ts";
import { jsonLogger } from "../../base/log.ts";
import { openStore } from "../../store/orm.ts";
import { catalogService } from "./catalog-service.ts";
import { catalogConfig } from "./config.ts";
import { catalogRows } from "./product-entity.ts";
import { seed } from "./seed.ts";

const title = "heddle catalog service";
const { logLevel, ...config } = readSettings(title, catalogConfig);
const log = jsonLogger({ level: logLevel, fields: { service: "catalog" } });
await using store = await orExit(title, openStore({ ...catalogRows, ...config, log }));
if (config.seed) log.info("seeded", { products: await seed(store, systemClock.wall()) });

const services = [[CatalogService, catalogService({ store })]] as const;
const server = await orExit(
  title,
  serve({ ...config, name: "catalog", descriptors: heddleDescriptors, services, log }),
);
await server.drained;
