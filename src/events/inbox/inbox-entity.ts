import { defineEntity, p } from "@mikro-orm/core";
import { IdType } from "../../store/id-type.ts";

/** The events that a service has taken in: written with what they changed, so that a second delivery changes nothing. */
export function inboxRows(service: string) {
  return defineEntity({
    name: `${service}InboxEvent`,
    tableName: `${service}_inbox`,
    properties: {
      eventId: p.string().length(36).primary(),
      source: p.string().length(100),
      takenAt: p.datetime(3),
    },
    indexes: [{ properties: ["source"] }],
  });
}

/** How far a service has read the log of another, slot by slot. */
export function cursorRows(service: string) {
  return defineEntity({
    name: `${service}Cursor`,
    tableName: `${service}_cursors`,
    properties: {
      source: p.string().length(100).primary(),
      slot: p.integer().primary(),
      position: p.type(IdType),
    },
  });
}

/** Events that could not be handled: they wait for another try, and those of their subject behind them, or are dead letters. */
export function parkedEvents(service: string) {
  return defineEntity({
    name: `${service}ParkedEvent`,
    tableName: `${service}_parked_events`,
    properties: {
      /** Grows with time: of one subject, the smaller comes first. */
      seq: p.type(IdType).primary().autoincrement(),
      eventId: p.string().length(36).unique(),
      source: p.string().length(100),
      slot: p.integer(),
      type: p.string().length(200),
      subject: p.string().length(200),
      /** The whole heddle.event.v1.Event. */
      envelope: p.blob(),
      state: p.string().length(16).$type<"waiting" | "dead">(),
      attempts: p.integer(),
      reason: p.text(),
      parkedAt: p.datetime(3),
      nextAt: p.datetime(3).nullable(),
    },
    indexes: [{ properties: ["state", "nextAt"] }, { properties: ["subject", "seq"] }],
  });
}

/** A table made by `inboxRows`. */
export type InboxRows = ReturnType<typeof inboxRows>;

/** A table made by `cursorRows`. */
export type CursorRows = ReturnType<typeof cursorRows>;

/** A table made by `parkedEvents`. */
export type ParkedEvents = ReturnType<typeof parkedEvents>;
