import type { Event } from "../../gen/heddle/event/v1/event_pb.ts";

/** What may be watched of an inbox. */
export interface InboxHooks {
  /** These events of a source were written with what they changed, at this wall time. Those seen before are not among them. */
  taken?(source: string, events: readonly Event[], at: number): void;
  /** An event could not be handled, and waits for another try. */
  parked?(source: string, event: Event, reason: string): void;
  /** An event was given up after its last try: a dead letter. */
  dead?(source: string, type: string, reason: string): void;
}
