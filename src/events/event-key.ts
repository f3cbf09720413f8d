import { createHash } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema } from "../../gen/heddle/event/v1/event_pb.ts";

const maxIdLength = 36;
const maxTextLength = 200;

/**
 * By what a service remembers that it has taken an event in: its id, or a digest where that does not fit the column.
 * Ours are UUIDs; whoever else speaks CloudEvents may call events anything.
 */
export function eventKey(event: Pick<Event, "id" | "source"> | Event): string {
  const { id, source } = event;
  if (id !== "" && id.length <= maxIdLength && !id.includes("\0") && id.isWellFormed()) return id;
  const told = id === "" && "data" in event ? toBinary(EventSchema, event) : `${source}\0${id}`;
  return createHash("sha256").update(told).digest("hex").slice(0, maxIdLength);
}

/** Text that fits a column: not too long, without U+0000, which no database keeps, and never cut within a character. */
export function fitting(text: string, maxLength = maxTextLength): string {
  return text.replaceAll("\0", "").slice(0, maxLength).toWellFormed();
}
