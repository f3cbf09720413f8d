import { type DescField, type DescMessage, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";

/** A JSON object on its way into or out of a message. */
export type JsonTree = { [key: string]: JsonValue };

/** A JSON object without a prototype, so that a field named `constructor` is there only when it was given. */
export function newTree(from?: JsonTree): JsonTree {
  return Object.assign(Object.create(null) as JsonTree, from);
}

const tables = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** The field of a message by its proto name or its JSON name; the table is made once per message. */
export function fieldNamed(desc: DescMessage, name: string): DescField | undefined {
  let table = tables.get(desc);
  if (table === undefined) {
    table = new Map(desc.fields.flatMap((field) => [[field.jsonName, field] as const, [field.name, field] as const]));
    tables.set(desc, table);
  }
  return table.get(name);
}

/** The fields along a dotted path, outermost first; a string says why there is no such path. */
export function fieldsAlong(desc: DescMessage, path: string): readonly DescField[] | string {
  const fields: DescField[] = [];
  let at: DescMessage | undefined = desc;
  for (const name of path.split(".")) {
    const field: DescField | undefined = at && fieldNamed(at, name);
    if (field === undefined)
      return at ? `${at.typeName} has no field "${name}"` : `"${name}" lies below a field that holds none`;
    fields.push(field);
    at = field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message) ? field.message : undefined;
  }
  return fields;
}

/** Whether one value of the field can be written as a piece of text, as in a path or a query string. */
export function isTextual(field: DescField): boolean {
  if (field.fieldKind === "map") return false;
  return field.message === undefined || isTextMessage(field.message);
}

/** Whether the message is written as text: Timestamp, Duration, FieldMask or a wrapper of a scalar. */
export function isTextMessage(desc: DescMessage): boolean {
  return textMessages.has(desc.typeName) || isWrapperDesc(desc);
}

const textMessages = new Set(["google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"]);

/** Whether the field holds one `google.protobuf.FieldMask`. */
export function isFieldMask(field: DescField): boolean {
  return field.fieldKind === "message" && field.message.typeName === "google.protobuf.FieldMask";
}

/** The key under which a JSON object holds the field, in whichever of its spellings; `undefined` if it does not. */
export function keyOf(json: JsonTree, field: DescField): string | undefined {
  if (Object.hasOwn(json, field.jsonName)) return field.jsonName;
  return Object.hasOwn(json, field.name) ? field.name : undefined;
}

/** The field's snake_case name, or the JSON name its contract gives it explicitly. */
export function snakeName(field: DescField): string {
  return field.jsonName === protoCamelCase(field.name) ? field.name : field.jsonName;
}

/** Whether a JSON value is an object: neither null nor an array. */
export function isTree(json: JsonValue | undefined): json is JsonTree {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Whether the scalar has 64 bits, and so is text in JSON. */
export function isLong(scalar: ScalarType): boolean {
  return longs.has(scalar);
}

const longs = new Set<ScalarType>([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);
