import { type DescField, type DescMethod, getOption, hasOption, type Message, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { field as fieldOption } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { RawMessage } from "./raw-message.ts";

/** A field whose value names the request: a string of its own. */
export type RequestIdField = DescField & { readonly fieldKind: "scalar" };

const fields = new WeakMap<DescMethod, RequestIdField | null>();

/**
 * The field of a unary method's request that its contract marks as `request_id`, if it has one: the service gives its first
 * answer again to the same id, so that a call which carries one may be repeated. Looked for once per method.
 */
export function requestIdField(method: DescMethod): RequestIdField | undefined {
  const known = fields.get(method);
  if (known !== undefined) return known ?? undefined;
  const marked = method.methodKind === "unary" ? markedRequestIds(method) : [];
  const found = marked.find(canNameRequests);
  fields.set(method, found ?? null);
  return found;
}

/** The fields of the request that are marked as `request_id`, fit for it or not. */
export function markedRequestIds({ input }: DescMethod): DescField[] {
  return input.fields.filter((field) => hasOption(field, fieldOption) && getOption(field, fieldOption).requestId);
}

/** Whether the field can name a request: it is a string, in no list, map or oneof. */
export function canNameRequests(field: DescField): field is RequestIdField {
  return field.fieldKind === "scalar" && field.scalar === ScalarType.STRING && field.oneof === undefined;
}

/**
 * The request with the field filled: itself where it has an id, else a copy with a new one, for its caller may send the
 * same message again as another request. Of a raw one the field is appended, as Protobuf lets everybody do. What is no
 * message stays as it is; the server refuses it before it does anything.
 */
export function withRequestId(message: Message, field: RequestIdField, newId: () => string): Message {
  if (message instanceof RawMessage) return withRawId(message, field, newId) as unknown as Message;
  return textOf(message, field) !== "" ? message : withText(message, field, newId());
}

/** A copy of the request that does not say its id. */
export function withoutRequestId<T extends Message>(message: T, field: RequestIdField): T {
  return withText(message, field, "");
}

/** The id that a request carries; empty where it carries none. */
export function requestIdIn(message: Message, field: RequestIdField): string {
  return message instanceof RawMessage ? (rawText(message.bytes, field.number) ?? "") : textOf(message, field);
}

function textOf(message: Message, { localName }: RequestIdField): string {
  return ((message as unknown as Record<string, unknown>)[localName] as string | undefined) ?? "";
}

function withText<T extends Message>(message: T, { localName }: RequestIdField, text: string): T {
  const copy = Object.create(Object.getPrototypeOf(message));
  return Object.assign(copy, message, { [localName]: text });
}

function withRawId(raw: RawMessage, { number }: RequestIdField, newId: () => string): RawMessage {
  if (rawText(raw.bytes, number) !== "") return raw;
  const added = new BinaryWriter().tag(number, WireType.LengthDelimited).string(newId()).finish();
  return new RawMessage(Buffer.concat([raw.bytes, added]));
}

/** The text that bytes of a message have last for a field, as readers take it; `undefined` where they are no message. */
function rawText(bytes: Uint8Array, number: number): string | undefined {
  const reader = new BinaryReader(bytes);
  let text = "";
  try {
    while (reader.pos < reader.len) {
      const [no, type] = reader.tag();
      if (no === number && type === WireType.LengthDelimited) text = reader.string();
      else reader.skip(type, no);
    }
    return text;
  } catch {
    return undefined;
  }
}
