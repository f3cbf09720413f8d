import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { serve } from "../../app/run.ts";
import { readSettings } from "../../base/env.ts";
import { jsonLogger } from "../../base/log.ts";
import { openStoreOrExit } from "../../store/settings.ts";
import { userConfig } from "./config.ts";
import { userRows } from "./user-entity.ts";
import { userService } from "./user-service.ts";

const title = "heddle user service";
const { logLevel, ...config } = readSettings(title, userConfig);
const log = jsonLogger({ level: logLevel, fields: { service: "user" } });
await using store = await openStoreOrExit(title, { ...userRows, ...config, log });

const server = await serve({ ...config, name: "user", services: [[UserService, userService({ store })]], log });
await server.drained;
