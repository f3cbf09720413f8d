import { discoverySettings, serverSettings } from "../../app/settings.ts";
import type { EnvReader } from "../../base/env.ts";
import { storeSettings } from "../../store/settings.ts";

/** What the catalog service reads from its environment. */
export function catalogConfig(read: EnvReader) {
  return {
    ...serverSettings(read, { port: 8003 }),
    ...discoverySettings(read),
    ...storeSettings(read),
    seed: read.bool("SEED", false, "put sample products into an empty catalog"),
  };
}
