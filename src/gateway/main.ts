import { readSettings } from "../base/env.ts";
import { jsonLogger } from "../base/log.ts";
import { gatewayConfig } from "./config.ts";
import { openGateway } from "./gateway.ts";

const { logLevel, ...config } = readSettings("heddle gateway", gatewayConfig);
const log = jsonLogger({ level: logLevel, fields: { service: "gateway" } });
const gateway = await openGateway({ ...config, log });
await gateway.drained;
