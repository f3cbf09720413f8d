import { eventSettings } from "../../app/event-settings.ts";
import { discoverySettings, faultSettings, serverSettings } from "../../app/settings.ts";
import type { EnvReader } from "../../base/env.ts";
import { storeSettings } from "../../store/settings.ts";

/** What the user service reads from its environment. */
export function userConfig(read: EnvReader) {
  return {
    ...serverSettings(read, { port: 8001 }),
    ...discoverySettings(read),
    ...faultSettings(read),
    ...storeSettings(read),
    ...eventSettings(read),
  };
}
