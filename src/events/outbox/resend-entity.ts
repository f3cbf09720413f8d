import { defineEntity, p } from "@mikro-orm/core";
import { IdType } from "../../store/id-type.ts";

/** What is to be sent to the broker once more, slot by slot; a slot that has all sent has no row. */
export function eventResends(service: string) {
  return defineEntity({
    name: `${service}EventResend`,
    tableName: `${service}_event_resends`,
    properties: {
      slot: p.integer().primary().autoincrement(false),
      /** The next position to look at. */
      next: p.type(IdType),
      /** The last position to send again: what came later was sent after the broker lost what it had. */
      last: p.type(IdType),
    },
  });
}

/** A table made by `eventResends`. */
export type EventResends = ReturnType<typeof eventResends>;
