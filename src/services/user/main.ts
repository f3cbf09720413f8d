import { UserService } from "../../../gen/shop/user/v1/user_pb.ts";
import { UserService as UserServiceV2 } from "../../../gen/shop/user/v2/user_pb.ts";
import { heddleDescriptors } from "../../app/descriptors.ts";
import { serve } from "../../app/run.ts";
import { orExit, readSettings } from "../../base/env.ts";
import { jsonLogger } from "../../base/log.ts";
import { openStore } from "../../store/orm.ts";
import { userConfig } from "./config.ts";
import { userRows } from "./user-entity.ts";
import { userService } from "./user-service.ts";
import { userServiceV2 } from "./user-service-v2.ts";

const title = "heddle user service";
const { logLevel, ...config } = readSettings(title, userConfig);
const log = jsonLogger({ level: logLevel, fields: { service: "user" } });
await using store = await orExit(title, openStore({ ...userRows, ...config, log }));

const server = await orExit(
  title,
  serve({
    ...config,
    name: "user",
    descriptors: heddleDescriptors,
    services: [
      [UserService, userService({ store })],
      [UserServiceV2, userServiceV2({ store })],
    ],
    log,
  }),
);
await server.drained;
