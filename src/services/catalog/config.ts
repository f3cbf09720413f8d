import { eventSettings } from "../../app/event-settings.ts";
import { discoverySettings, faultSettings, serverSettings } from "../../app/settings.ts";
import type { EnvReader } from "../../base/env.ts";
import { storeSettings } from "../../store/settings.ts";

/** What the catalog service reads from its environment. */
export function catalogConfig(read: EnvReader) {
  return {
    ...serverSettings(read, { port: 8003 }),
    ...discoverySettings(read),
    ...faultSettings(read),
    ...storeSettings(read),
    ...eventSettings(read),
    seed: read.bool("SEED", false, "put sample products into an empty catalog"),
  };
}
