import { create, type Registry } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Message } from "amqplib";
import { type Event, EventSchema } from "../../../gen/heddle/event/v1/event_pb.ts";
import { messageOf } from "../../base/message-of.ts";
import { slotOf } from "../slots.ts";
import { mediaTypes, payloadOf } from "./event-message.ts";

/** What a message has to have to be an event of ours. */
export interface Expected {
  /** The types handled. */
  readonly types: ReadonlySet<string>;
  readonly registry: Registry;
  /** Wall time, for an event that does not say when it happened. */
  readonly now: number;
}

/** A message that is no event for us; the reason reads on after "it is no event: ". */
export interface Unreadable {
  readonly reason: string;
}

/** How long the columns are in which attributes are kept. */
const limits = { id: 36, source: 100, type: 200, subject: 200 } as const;

/** The event in a message, or why there is none. */
export function incoming(message: Message, expected: Expected): Event | Unreadable {
  try {
    return eventIn(message, expected);
  } catch (reason) {
    return { reason: messageOf(reason) };
  }
}

function eventIn({ content, properties }: Message, { types, registry, now }: Expected): Event {
  const attributes = attributesOf(properties.headers ?? {});
  const version = attributes.get("specversion");
  if (version !== "1.0") throw new Error(`its header cloudEvents:specversion is ${shown(version)}, not "1.0"`);
  const [id, source, type] = [text(attributes, "id"), text(attributes, "source"), text(attributes, "type")];
  if (!types.has(type)) throw new Error(`its type ${type} is not handled by this version of the service`);
  const subject = text(attributes, "subject");
  const schemaName = String(attributes.get("dataschema") ?? type).replace(/^.*\//s, "");
  return create(EventSchema, {
    ...{ id, source, type, subject, slot: slotOf(subject) },
    time: timestampFromMs(timeOf(attributes.get("time")) ?? now),
    dataContentType: mediaTypes.protobuf,
    dataSchema: schemaName,
    version: Number(attributes.get("dataversion") ?? 1) || 1,
    traceParent: traceOf(attributes.get("traceparent")),
    data: payloadOf(content, String(properties.contentType ?? ""), { schemaName, registry }),
  });
}

/** Attributes by name: the binding allows both ":" and "_" behind its prefix. */
function attributesOf(headers: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  const attributes = new Map<string, unknown>();
  for (const [header, value] of Object.entries(headers)) {
    if (/^cloudEvents[:_]/.test(header)) attributes.set(header.slice("cloudEvents:".length), value);
  }
  return attributes;
}

function text(attributes: ReadonlyMap<string, unknown>, name: keyof typeof limits): string {
  const value = attributes.get(name);
  if (typeof value !== "string" || value === "") throw new Error(`its header cloudEvents:${name} is ${shown(value)}`);
  if (value.length > limits[name])
    throw new Error(`its header cloudEvents:${name} is longer than ${limits[name]} characters`);
  if (/\p{Cc}/u.test(value)) throw new Error(`its header cloudEvents:${name} has control characters in it`);
  return value;
}

function timeOf(value: unknown): number | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

const traceOf = (value: unknown) => (typeof value === "string" && /^[0-9a-f-]{55}$/.test(value) ? value : "");

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 50)) : `no text but a ${typeof value}`;
}
