// One of several processes that open the user service's store at the same moment: prints which migrations it ran.

import { silentLogger } from "../../base/log.ts";
import { userRows } from "../../services/user/user-entity.ts";
import { openStore } from "../../store/orm.ts";

const [databaseUrl = "", dataDir = "", startAt = "0"] = process.argv.slice(2);
while (Date.now() < Number(startAt)) await new Promise(setImmediate);
const log = {
  ...silentLogger,
  info: (_: string, fields?: Readonly<Record<string, unknown>>) => void console.log(JSON.stringify(fields?.migrated)),
};
await using store = await openStore({ ...userRows, databaseUrl, dataDir, log });
await store.ping();
