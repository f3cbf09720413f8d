import { type DescField, type DescMessage, type JsonObject, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { isLong } from "../fields.ts";

/**
 * Which way a message goes. Callers may write less than protojson does (absent fields have defaults) and more (a 64-bit
 * integer as a number); answers are always written the same way.
 */
export type Direction = "input" | "output";

const notFinite = { type: "string", enum: ["NaN", "Infinity", "-Infinity"] };

/** A scalar in the Protobuf JSON mapping: https://protobuf.dev/programming-guides/json/ */
export function scalarSchema(scalar: ScalarType, direction: Direction): JsonObject {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", format: "byte", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return {
        anyOf: [{ type: "number", format: scalar === ScalarType.FLOAT ? "float" : "double" }, { ...notFinite }],
      };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", format: "uint32", minimum: 0, maximum: 4_294_967_295 };
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: longType(direction), format: "uint64", pattern: "^[0-9]+$" };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return { type: longType(direction), format: "int64", pattern: "^-?[0-9]+$" };
    default:
      return { type: "integer", format: "int32" };
  }
}

function longType(direction: Direction): string | string[] {
  return direction === "input" ? ["string", "integer"] : "string";
}

/** A message that JSON writes in a way of its own; `undefined` for all others. */
export function wellKnownSchema(desc: DescMessage, direction: Direction): JsonObject | undefined {
  if (isWrapperDesc(desc)) return nullable(scalarSchema(desc.fields[0].scalar, direction));
  return wellKnown.get(desc.typeName)?.();
}

/** A wrapper's value, or null for none. */
function nullable(schema: JsonObject): JsonObject {
  const { type } = schema;
  if (type === undefined) return { anyOf: [...(schema.anyOf as JsonObject[]), { type: "null" }] };
  return { ...schema, type: [...(Array.isArray(type) ? type : [type]), "null"] };
}

const wellKnown = new Map<string, () => JsonObject>([
  ["google.protobuf.Timestamp", () => ({ type: "string", format: "date-time", examples: ["2026-01-31T12:00:00Z"] })],
  ["google.protobuf.Duration", () => ({ type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$", examples: ["1.5s"] })],
  [
    "google.protobuf.FieldMask",
    () => ({ type: "string", description: "Names of fields, between commas.", examples: ["name,email"] }),
  ],
  ["google.protobuf.Struct", () => ({ type: "object", additionalProperties: true })],
  ["google.protobuf.Value", () => ({})],
  ["google.protobuf.ListValue", () => ({ type: "array", items: {} })],
  ["google.protobuf.Empty", () => ({ type: "object" })],
  [
    "google.protobuf.Any",
    () => ({
      type: "object",
      description: "A message of any type; `@type` says which.",
      properties: { "@type": { type: "string", examples: ["type.googleapis.com/google.rpc.ErrorInfo"] } },
      required: ["@type"],
      additionalProperties: true,
    }),
  ],
]);

/** What a field without presence has when nobody has set it, as JSON writes it. */
export function zeroOf(field: DescField): JsonValue {
  if (field.fieldKind === "list") return [];
  if (field.fieldKind === "map") return {};
  if (field.enum !== undefined) return field.enum.values[0]?.jsonName ?? 0;
  const scalar = field.scalar ?? ScalarType.STRING;
  if (scalar === ScalarType.BOOL) return false;
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return "";
  return isLong(scalar) ? "0" : 0;
}
