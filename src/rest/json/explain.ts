import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  type Registry,
  ScalarType,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import type { FieldViolation } from "../../call/errors.ts";
import { fieldNamed, isTree, type JsonTree } from "../fields.ts";

const maxViolations = 20;
const maxNameLength = 100;

/**
 * Says which fields keep JSON from being a message, each by its path in the caller's spelling ("items[0].qty").
 *
 * protobuf-es stops at the first error and names the field without its path; this asks it again, value by value.
 */
export function explainJson(desc: DescMessage, json: JsonValue, registry: Registry): readonly FieldViolation[] {
  const explanation: Explanation = { violations: [], registry };
  explainMessage(desc, json, "", explanation);
  return explanation.violations.slice(0, maxViolations);
}

interface Explanation {
  readonly violations: FieldViolation[];
  readonly registry: Registry;
}

function explainMessage(desc: DescMessage, json: JsonValue, path: string, explanation: Explanation): void {
  if (!isTree(json)) return complain(explanation, path, "must be an object");
  const seen = new Map<unknown, string>();
  for (const key of Object.keys(json)) {
    if (explanation.violations.length >= maxViolations) return;
    const here = below(path, key);
    const field = fieldNamed(desc, key);
    if (field === undefined) {
      complain(explanation, here, "unknown field");
      continue;
    }
    const other = seen.get(field) ?? (field.oneof && seen.get(field.oneof));
    if (other !== undefined) complain(explanation, here, `cannot be set together with ${other}`);
    seen.set(field, key);
    if (field.oneof !== undefined) seen.set(field.oneof, key);
    explainField(field, json[key] ?? null, here, explanation);
  }
}

function explainField(field: DescField, json: JsonValue, path: string, explanation: Explanation): void {
  if (json === null) return;
  if (field.fieldKind === "list") {
    if (!Array.isArray(json)) return complain(explanation, path, "must be an array");
    json.forEach((item, i) => explainValue(field, item, `${path}[${i}]`, explanation));
  } else if (field.fieldKind === "map") {
    if (!isTree(json)) return complain(explanation, path, "must be an object");
    for (const [key, value] of Object.entries(json)) explainEntry(field, key, value, path, explanation);
  } else {
    explainValue(field, json, path, explanation);
  }
}

function explainEntry(field: DescField, key: string, value: JsonValue, path: string, explanation: Explanation): void {
  const before = explanation.violations.length;
  explainValue(field, value, below(path, key), explanation);
  if (explanation.violations.length === before && !fits(field, { [key]: value }, explanation)) {
    complain(explanation, below(path, key), "is not a key of this map");
  }
}

function explainValue(field: DescField, json: JsonValue, path: string, explanation: Explanation): void {
  if (field.message !== undefined && !hasCustomJsonRepresentation(field.message)) {
    return explainMessage(field.message, json, path, explanation);
  }
  const whole = field.fieldKind === "list" ? [json] : field.fieldKind === "map" ? { [anyKey(field)]: json } : json;
  if (!fits(field, whole, explanation)) complain(explanation, path, `must be ${expectation(field)}`);
}

function fits(field: DescField, json: JsonValue, { registry }: Explanation): boolean {
  const tree: JsonTree = { [field.jsonName]: json };
  try {
    fromJson(field.parent as DescMessage, tree, { registry });
    return true;
  } catch {
    return false; // its reason is in protobuf-es's words; `expectation` says it in the caller's
  }
}

function anyKey(field: DescField & { fieldKind: "map" }): string {
  if (field.mapKey === ScalarType.STRING) return "key";
  return field.mapKey === ScalarType.BOOL ? "true" : "0";
}

function expectation(field: DescField): string {
  if (field.enum !== undefined) return `one of ${field.enum.values.map((value) => value.jsonName).join(", ")}`;
  if (field.message === undefined) return scalarExpectation(field.scalar);
  if (isWrapperDesc(field.message)) return scalarExpectation(field.message.fields[0].scalar);
  return messageExpectations.get(field.message.typeName) ?? `a valid ${field.message.typeName}`;
}

const messageExpectations = new Map([
  ["google.protobuf.Timestamp", 'a time such as "2026-01-31T12:00:00Z"'],
  ["google.protobuf.Duration", 'a duration in seconds such as "1.5s"'],
  ["google.protobuf.FieldMask", 'field names in one string: "name,email"'],
  ["google.protobuf.Struct", "an object"],
  ["google.protobuf.ListValue", "an array"],
]);

function scalarExpectation(scalar: ScalarType): string {
  switch (scalar) {
    case ScalarType.STRING:
      return "a string";
    case ScalarType.BOOL:
      return "true or false";
    case ScalarType.BYTES:
      return "a string in base64";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return "a number";
    default:
      return `an integer (${ScalarType[scalar].toLowerCase()})`;
  }
}

function below(path: string, key: string): string {
  const name = key.length > maxNameLength ? `${key.slice(0, maxNameLength)}…` : key;
  return path === "" ? name : `${path}.${name}`;
}

function complain({ violations }: Explanation, field: string, description: string): void {
  violations.push({ field, description });
}
