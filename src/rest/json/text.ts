import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { type JsonOptions, needsTree } from "./plan.ts";
import { quoted, scalarText } from "./scalar.ts";
import { timestampText } from "./time.ts";

/** Writes a message, or a value of one, as JSON text. */
export type TextWriter = (value: unknown) => string;

/** How JSON is spelled. What is written is what `toJson` and `restyle` would make, letter by letter. */
export interface TextRules extends JsonOptions {
  readonly nameOf: (field: DescField) => string;
  /** An enum's value by its JSON name, as it is written. */
  readonly enumText: (desc: DescEnum, jsonName: string) => string;
  /** Whether 64-bit integers are written as numbers while those are exact. */
  readonly hasNumbers: boolean;
  /** What `toJson` makes of a message as it is to be. */
  readonly restyle: (desc: DescMessage, json: JsonValue) => JsonValue;
}

/**
 * Writes messages as JSON text without making a tree of them first: planned once for each type of message. What is rare
 * (`Any`, `Struct`, wrappers, extensions, names that JSON would put in another order) takes the way by the tree.
 */
export class JsonText {
  readonly #rules: TextRules;
  readonly #writers = new Map<DescMessage, TextWriter>();

  constructor(rules: TextRules) {
    this.#rules = rules;
  }

  /** Writes messages of the type. */
  writerOf(desc: DescMessage): TextWriter {
    const known = this.#writers.get(desc);
    if (known !== undefined) return known;
    if (desc.typeName === "google.protobuf.Timestamp") return this.#keep(desc, timestampText);
    if (needsTree(desc)) return this.#keep(desc, this.#byTree(desc));
    const parts: Part[] = [];
    const writer = this.#keep(desc, (message) => objectText(parts, message as Fields)); // before its fields: it may hold itself
    for (const field of desc.fields.toSorted((a, b) => a.number - b.number)) parts.push(this.#part(field));
    return writer;
  }

  /** Writes one field of messages, without its name; `undefined` where it is not set. */
  fieldWriter(field: DescField): (message: Message) => string | undefined {
    const write = this.#valueWriter(field);
    const isSet = presenceOf(field);
    return (message) => {
      const fields = message as Message & Fields;
      return isSet(fields) ? write(heldIn(field, fields)) : undefined;
    };
  }

  #keep(desc: DescMessage, writer: TextWriter): TextWriter {
    this.#writers.set(desc, writer);
    return writer;
  }

  #byTree(desc: DescMessage): TextWriter {
    const { registry, restyle } = this.#rules;
    const options = { alwaysEmitImplicit: true, registry };
    return (message) => JSON.stringify(restyle(desc, toJson(desc, message as Message, options)));
  }

  #part(field: DescField): Part {
    const name = `${quoted(this.#rules.nameOf(field))}:`;
    const write = this.#valueWriter(field);
    const { localName } = field;
    if (isAlwaysThere(field)) return (message) => name + write(message[localName]);
    const isSet = presenceOf(field);
    return (message) => (isSet(message) ? name + write(heldIn(field, message)) : "");
  }

  #valueWriter(field: DescField): TextWriter {
    const one = this.#oneWriter(field);
    if (field.fieldKind === "list") return (items) => listText(items as readonly unknown[], one);
    if (field.fieldKind === "map") return (record) => mapText(record as Fields, one);
    return one;
  }

  #oneWriter(field: DescField): TextWriter {
    if (field.message !== undefined) return this.writerOf(field.message);
    if (field.enum !== undefined) return this.#enumWriter(field.enum);
    return scalarText(field.scalar, this.#rules.hasNumbers);
  }

  #enumWriter(desc: DescEnum): TextWriter {
    if (desc.typeName === "google.protobuf.NullValue") return () => "null";
    const { enumText } = this.#rules;
    const texts = new Map<unknown, string>();
    for (const { number } of desc.values) texts.set(number, quoted(enumText(desc, desc.value[number]?.jsonName ?? "")));
    return (value) => texts.get(value) ?? String(value);
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** A field with its name; "" where it is not set. */
type Part = (message: Fields) => string;

function objectText(parts: readonly Part[], message: Fields): string {
  let text = "";
  for (let i = 0; i < parts.length; i++) {
    const part = (parts[i] as Part)(message);
    if (part !== "") text = text === "" ? part : `${text},${part}`;
  }
  return `{${text}}`;
}

function listText(items: readonly unknown[], one: TextWriter): string {
  let text = "";
  for (let i = 0; i < items.length; i++) text = i === 0 ? one(items[0]) : `${text},${one(items[i])}`;
  return `[${text}]`;
}

function mapText(record: Fields, one: TextWriter): string {
  const entries = Object.keys(record).map((key) => `${quoted(key)}:${one(record[key])}`);
  return `{${entries.join(",")}}`;
}

/** Whether the field is written whatever its value is: it has one at all times. */
function isAlwaysThere(field: DescField): boolean {
  if (field.fieldKind === "list" || field.fieldKind === "map") return true;
  return field.oneof === undefined && field.presence === Presence.IMPLICIT;
}

function presenceOf(field: DescField): (message: Fields) => boolean {
  const { localName, oneof } = field;
  if (isAlwaysThere(field)) return () => true;
  if (oneof !== undefined) return (message) => (message[oneof.localName] as { case?: string }).case === localName;
  return (message) => message[localName] !== undefined && Object.hasOwn(message, localName);
}

function heldIn({ localName, oneof }: DescField, message: Fields): unknown {
  return oneof === undefined ? message[localName] : (message[oneof.localName] as { value?: unknown }).value;
}
