import { type DescField, type DescMessage, getOption, hasOption, type Message, ScalarType } from "@bufbuild/protobuf";
import { event as eventOption } from "../../gen/heddle/event/v1/event_pb.ts";

/** What a message's contract says of it as the payload of an event. */
export interface EventPolicy {
  /** The CloudEvents type: "shop.order.v1.OrderCreated". */
  readonly type: string;
  readonly version: number;
  /** The value of the key, as the CloudEvents subject; empty when the message does not say it. */
  subjectOf(message: Message): string;
}

const policies = new WeakMap<DescMessage, EventPolicy>();

/**
 * What the contract says of the message; checked once. A message that is no event, or is declared wrongly, is an Error
 * that names it.
 */
export function eventPolicy(message: DescMessage): EventPolicy {
  const known = policies.get(message);
  if (known !== undefined) return known;
  const policy = readPolicy(message);
  policies.set(message, policy);
  return policy;
}

/** The policies of several messages, by type. Two messages of one type are an Error: nobody could tell their payloads apart. */
export function eventPolicies(messages: Iterable<DescMessage>): ReadonlyMap<string, DescMessage> {
  const byType = new Map<string, DescMessage>();
  for (const message of messages) {
    const { type } = eventPolicy(message);
    const other = byType.get(type);
    if (other !== undefined && other.typeName !== message.typeName) {
      throw complaint(
        message,
        "type",
        `is "${type}", and so is that of ${other.typeName}: each needs a type of its own`,
      );
    }
    byType.set(type, message);
  }
  return byType;
}

function readPolicy(message: DescMessage): EventPolicy {
  if (!hasOption(message, eventOption)) {
    const declare = 'option (heddle.event.v1.event) = { type: "…" key: "…" version: 1 };';
    throw new Error(`${message.typeName} is no event: declare "${declare}" in it`);
  }
  const { type, key, version } = getOption(message, eventOption);
  if (type === "") throw complaint(message, "type", `is not set: name it "${message.typeName}", for one`);
  if (type.length > 200) throw complaint(message, "type", "is longer than 200 characters");
  if (version < 1) throw complaint(message, "version", "is not set: begin with 1");
  const path = readKey(message, key);
  return { type, version, subjectOf: (payload) => valueAt(payload, path) };
}

/** The fields from the message to the value of its key. */
function readKey(message: DescMessage, key: string): readonly DescField[] {
  const wrong = (description: string) => complaint(message, "key", description);
  if (key === "") throw wrong('is not set: name the field that keeps events in order, such as "order.id"');
  const path: DescField[] = [];
  let at: DescMessage | undefined = message;
  for (const name of key.split(".")) {
    if (at === undefined) throw wrong(`is "${key}": ${path.at(-1)?.name} is no message, so it has no field ${name}`);
    const field: DescField | undefined = at.fields.find((candidate) => candidate.name === name);
    if (field === undefined) throw wrong(`is "${key}": ${at.typeName} has no field ${name}`);
    if (field.oneof !== undefined) throw wrong(`is "${key}": ${name} lies in a oneof, so it is not always there`);
    path.push(field);
    at = field.fieldKind === "message" ? field.message : undefined;
  }
  const last = path.at(-1);
  if (last?.fieldKind !== "scalar" || !keyScalars.has(last.scalar)) {
    throw wrong(`is "${key}", which is neither a string nor an integer`);
  }
  return path;
}

const keyScalars: ReadonlySet<ScalarType> = new Set([
  ScalarType.STRING,
  ScalarType.INT32,
  ScalarType.INT64,
  ScalarType.UINT32,
  ScalarType.UINT64,
  ScalarType.SINT32,
  ScalarType.SINT64,
  ScalarType.FIXED32,
  ScalarType.FIXED64,
  ScalarType.SFIXED32,
  ScalarType.SFIXED64,
]);

function valueAt(message: Message, path: readonly DescField[]): string {
  let value: unknown = message;
  for (const { localName } of path) value = (value as Readonly<Record<string, unknown>> | undefined)?.[localName];
  return value === undefined ? "" : String(value);
}

function complaint(message: DescMessage, field: string, description: string): Error {
  return new Error(`${message.typeName}: ${field} of option (heddle.event.v1.event) ${description}`);
}
