import type { EnvReader } from "../base/env.ts";
import { amqpSettings } from "../events/amqp/amqp-settings.ts";

/** What a program that tells others of its changes, or hears of theirs, reads from its environment. */
export function eventSettings(read: EnvReader) {
  return {
    ...amqpSettings(read),
    maxBacklog: read.int(
      "EVENT_BACKLOG",
      1_000_000,
      "events that may wait to be published before changes are refused",
      {
        min: 1,
      },
    ),
  };
}
