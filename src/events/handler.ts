import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { SqlEntityManager } from "@mikro-orm/sql";
import type { Event } from "../../gen/heddle/event/v1/event_pb.ts";

/** Publishes an event in the transaction of `em`: it is told when that commits, and never if it does not. */
export type Publish = <Desc extends DescMessage>(
  em: SqlEntityManager,
  schema: Desc,
  message: MessageInitShape<Desc>,
) => Promise<void>;

/** What a handler works with, besides the message. */
export interface Handling {
  /** The transaction that also remembers the event as taken in. Nothing else is awaited in it. */
  readonly em: SqlEntityManager;
  /** The envelope. */
  readonly event: Event;
  /** Wall time in milliseconds. */
  readonly now: number;
}

/** What a service does about one type of event. */
export interface EventHandler extends HandlerOptions {
  readonly schema: DescMessage;
  handle(message: never, handling: Handling): Promise<void>;
}

/** How a handler may be called. */
export interface HandlerOptions {
  /**
   * Set where what it does about one subject reads nothing that it writes about another: then events of several subjects are
   * handled side by side, in one transaction, and on a database server their statements travel together. If unset, one
   * event at a time.
   */
  readonly independent?: boolean;
}

/**
 * A handler of the events whose payload is `schema`. What it writes with `em` commits together with the note that the event was
 * taken in; if it throws, nothing of it stays, and the event is tried again later. Events of one subject come one by one,
 * in order.
 */
export function on<Desc extends DescMessage>(
  schema: Desc,
  handle: (message: MessageShape<Desc>, handling: Handling) => Promise<void>,
  options: HandlerOptions = {},
): EventHandler {
  return { schema, handle, ...options };
}

/** Whom a service follows, and what it does about it. */
export interface Subscription {
  /** The service that publishes: "order". */
  readonly source: string;
  readonly handlers: readonly EventHandler[];
  /** Empties what the handlers have made, where that is no more than a view of the events; unset where it is more. */
  readonly clear?: (em: SqlEntityManager) => Promise<void>;
}
