import { eventSettings } from "../../app/event-settings.ts";
import { discoverySettings, faultSettings, serverSettings } from "../../app/settings.ts";
import type { EnvReader } from "../../base/env.ts";
import { storeSettings } from "../../store/settings.ts";

/** What the order service reads from its environment. */
export function orderConfig(read: EnvReader) {
  return {
    ...serverSettings(read, { port: 8002 }),
    ...discoverySettings(read),
    ...faultSettings(read),
    ...storeSettings(read),
    ...eventSettings(read),
    sagaTimeoutMs: read.durationMs(
      "SAGA_TIMEOUT",
      60_000,
      "how long the catalog may take to answer before an order is cancelled",
    ),
  };
}
