import type { DescField, DescMessage, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";

const longs: readonly (ScalarType | undefined)[] = [ScalarType.INT64, ScalarType.UINT64];

/** The name of a field under `/api`: as the contract spells it, unless it asks for a JSON name of its own. */
export function plainName(field: DescField): string {
  return field.jsonName === protoCamelCase(field.name) ? field.name : field.jsonName;
}

/** Protojson in the words of the article's clients: snake_case, numbers, short names of enums. */
export function toPlain(desc: DescMessage, json: JsonValue): JsonValue {
  return restyle(desc, json, {
    keyOf: (field) => [field.jsonName, plainName(field)],
    scalar: (field, value) => (longs.includes(field.scalar) ? Number(value) : value),
    enumerated: (value, prefix) => String(value).toLowerCase().replace(prefix, ""),
  });
}

/** The way back. Throws where the answer is not in that style, to the letter. */
export function fromPlain(desc: DescMessage, json: JsonValue): JsonValue {
  return restyle(desc, json, {
    keyOf: (field) => [plainName(field), field.jsonName],
    scalar: (field, value) => {
      if (longs.includes(field.scalar) && typeof value !== "number") throw new Error(`${field} is no number: ${value}`);
      return value;
    },
    enumerated: (value, prefix) => (prefix + String(value)).toUpperCase(),
  });
}

interface Style {
  /** From and to. */
  keyOf(field: DescField): readonly [string, string];
  scalar(field: DescField, value: JsonValue): JsonValue;
  enumerated(value: JsonValue, prefix: string): JsonValue;
}

function restyle(desc: DescMessage, json: JsonValue, style: Style): JsonValue {
  if (desc.typeName.startsWith("google.protobuf.") || !isObject(json)) return json;
  const fields = new Map(desc.fields.map((field) => [style.keyOf(field)[0], field] as const));
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => {
      const field = fields.get(key);
      if (field === undefined) throw new Error(`${desc.typeName} has nothing called ${key}`);
      return [style.keyOf(field)[1], restyleField(field, value, style)];
    }),
  );
}

function restyleField(field: DescField, value: JsonValue, style: Style): JsonValue {
  if (Array.isArray(value)) return value.map((item) => restyleField(field, item, style));
  if (field.fieldKind === "map") return value; // of text to text, as all of ours are
  if (field.message !== undefined) return restyle(field.message, value, style);
  if (field.enum !== undefined) return style.enumerated(value, field.enum.sharedPrefix ?? "");
  return style.scalar(field, value);
}

/** Whether a JSON value is an object. */
export function isObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
