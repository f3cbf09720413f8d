import { create, fromBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import {
  type ParkedEvent,
  ParkedEventSchema,
  ParkedState,
} from "../../../gen/heddle/event/v1/subscription_service_pb.ts";
import type { ParkedRow } from "../inbox/parked.ts";

/** A parked event as it is shown. */
export function toParkedEvent(row: ParkedRow): ParkedEvent {
  const { envelope, state, attempts, reason, parkedAt, nextAt } = row;
  return create(ParkedEventSchema, {
    event: fromBinary(EventSchema, envelope),
    state: state === "dead" ? ParkedState.DEAD : ParkedState.WAITING,
    attempts,
    reason,
    parkedTime: timestampFromDate(parkedAt),
    ...(nextAt && { nextTime: timestampFromDate(nextAt) }),
  });
}

/** The same for a list, which has no payloads. */
export function withoutData(parked: ParkedEvent): ParkedEvent {
  if (parked.event) parked.event.data = new Uint8Array();
  return parked;
}
