import { defineEntity, p } from "@mikro-orm/core";
import { IdType } from "../../store/id-type.ts";

/**
 * The events that one service publishes: its outbox as long as they have no position, its log from then on.
 *
 * An event is written in the transaction of the change that it tells of. `seq` is given at once, but transactions may commit
 * in another order; `position` is given by the relay afterwards, so nothing ever appears before what somebody has read.
 */
export function eventRows(service: string) {
  return defineEntity({
    name: `${service}Event`,
    tableName: `${service}_events`,
    properties: {
      seq: p.type(IdType).primary().autoincrement(),
      id: p.string().length(36).unique(),
      position: p.type(IdType).nullable().unique(),
      slot: p.integer(),
      type: p.string().length(200),
      version: p.integer(),
      subject: p.string().length(200),
      traceParent: p.string().length(55),
      time: p.datetime(3),
      dataSchema: p.string().length(200),
      data: p.blob(),
    },
    indexes: [{ properties: ["position", "seq"] }, { properties: ["subject", "seq"] }],
  });
}

/** A table made by `eventRows`. */
export type EventRows = ReturnType<typeof eventRows>;
