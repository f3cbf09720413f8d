import { type DescMessage, fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import type { Event } from "../../../gen/heddle/event/v1/event_pb.ts";
import { messageOf } from "../../base/message-of.ts";
import { eventPolicy } from "../event-policy.ts";
import type { EventHandler, Subscription } from "../handler.ts";

/** What a service knows of one type of event, and does about it. */
export interface KnownEvent {
  readonly schema: DescMessage;
  /** The version of the payload that this program was built with. */
  readonly version: number;
  readonly handlers: readonly EventHandler[];
}

/** What one service does about the events of others: by source, then by type. */
export class KnownEvents {
  readonly #sources = new Map<string, Map<string, KnownEvent>>();

  constructor(subscriptions: readonly Subscription[]) {
    for (const { source, handlers } of subscriptions) for (const handler of handlers) this.#add(source, handler);
  }

  /** What is done about a source's events of a type; nothing where it means nothing here. */
  of(source: string, type: string): KnownEvent | undefined {
    return this.#sources.get(source)?.get(type);
  }

  /** Those who are followed. */
  get sources(): readonly string[] {
    return [...this.#sources.keys()];
  }

  /** The types of a source that are handled. */
  types(source: string): readonly string[] {
    return [...(this.#sources.get(source)?.keys() ?? [])];
  }

  #add(source: string, handler: EventHandler): void {
    const { type, version } = eventPolicy(handler.schema);
    const types = this.#sources.get(source) ?? new Map<string, KnownEvent>();
    this.#sources.set(source, types);
    const handlers = [...(types.get(type)?.handlers ?? []), handler];
    types.set(type, { schema: handler.schema, version, handlers });
  }
}

/** The payload as its contract has it. Throws with a reason that says how to mend it when that cannot be had. */
export function payloadOf({ schema, version }: KnownEvent, event: Event): Message {
  if (event.version > version) {
    throw new Error(
      `version ${event.version} of ${event.type} is later than version ${version}, which this program knows: update it, then replay the event`,
    );
  }
  try {
    return decoded(schema, event);
  } catch (reason) {
    throw new Error(`its data is no ${schema.typeName} in ${mediaType(event)}: ${messageOf(reason)}`);
  }
}

function decoded(schema: DescMessage, event: Event): Message {
  if (!mediaType(event).startsWith("application/json")) return fromBinary(schema, event.data);
  return fromJsonString(schema, new TextDecoder().decode(event.data), { ignoreUnknownFields: true });
}

const mediaType = (event: Event) => event.dataContentType || "application/protobuf";
