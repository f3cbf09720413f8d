import { orExit, readSettings } from "../base/env.ts";
import { jsonLogger } from "../base/log.ts";
import { gatewayConfig } from "./config.ts";
import { openGateway } from "./gateway.ts";

const title = "heddle gateway";
const { logLevel, ...config } = readSettings(title, gatewayConfig);
const log = jsonLogger({ level: logLevel, fields: { service: "gateway" } });
const gateway = await orExit(title, openGateway({ ...config, log }));
await gateway.drained;
