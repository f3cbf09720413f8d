import { type DescField, type DescMessage, type JsonObject, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import type { HttpRule } from "../../../../gen/google/api/http_pb.ts";
import { type PathVariable, variablesOf } from "./encoder.ts";
import { anyField, anyText, type Shape } from "./messages.ts";

/** Messages that the binding can carry: what goes by the path has a value, what goes by the query has a text. */
export function anyRequest(input: DescMessage, rule: HttpRule): fc.Arbitrary<JsonObject> {
  const variables = variablesOf(rule);
  const inPath = new Set(variables.map(({ path }) => path));
  const inBody = (field: DescField) => rule.body === "*" || (field.parent === input && field.name === rule.body);
  const bodyShape: Shape = { depth: 2, takes: (field) => field.name !== "extensions" };
  const queryShape: Shape = { depth: 2, takes: (field) => bodyShape.takes(field) && isForQueries(field) };
  const fields = input.fields.filter((field) => !inPath.has(field.name) && bodyShape.takes(field));
  const isFree = (field: DescField) => field.oneof === undefined || field.oneof.fields.length === 1;
  const entries = fields.flatMap((field) => {
    const toBody = inBody(field);
    if (!(isFree(field) || (toBody && rule.body !== "*")) || !(toBody || isForQueries(field))) return [];
    const isRaw = toBody && field.message?.typeName === "google.api.HttpBody";
    const value = isRaw ? anyBytes : (maskOf(field, input, rule) ?? anyField(field, toBody ? bodyShape : queryShape));
    return value === undefined ? [] : [[field.jsonName, toBody ? value : value.map(withoutEmpty)] as const];
  });
  const required = input.fields.filter((field) => field.name === rule.body || isMaskOfPatch(field, rule));
  const base: fc.Arbitrary<Record<string, JsonValue | undefined>> =
    input.typeName === "google.api.HttpBody"
      ? anyBytes
      : fc
          .record(Object.fromEntries(entries), { requiredKeys: required.map(({ jsonName }) => jsonName) })
          .map((each) => ({ ...each }));
  const values = fc.tuple(...variables.map((variable) => anyInPath(input, variable)));
  return fc.tuple(base, values).map(([json, texts]) => {
    const cleaned = withoutUndefined(json);
    for (const [i, variable] of variables.entries()) put(input, cleaned, variable.path, texts[i] ?? null);
    return cleaned;
  });
}

const anyBytes: fc.Arbitrary<JsonObject> = fc.record({
  contentType: fc.constantFrom("image/png", "application/json", "text/plain; charset=utf-8"),
  data: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("base64")),
});

/** A PATCH without mask is given one: what it is is not the message's to say, and tested elsewhere. */
function isMaskOfPatch(field: DescField, rule: HttpRule): boolean {
  return rule.pattern.case === "patch" && field.message?.typeName === "google.protobuf.FieldMask";
}

function maskOf(field: DescField, input: DescMessage, rule: HttpRule): fc.Arbitrary<JsonValue> | undefined {
  const resource = input.fields.find(({ name }) => name === rule.body)?.message;
  if (!isMaskOfPatch(field, rule) || resource === undefined) return undefined;
  const names = resource.fields.map(({ name }) => name).filter((name) => !/_\d/.test(name));
  const paths = names.map((name) => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  return fc.subarray(paths, { minLength: 1 }).map((each) => each.join(","));
}

/** Whether a query has a name for the field: any but messages of lists, and JSON within JSON. */
function isForQueries(field: DescField): boolean {
  if (field.message === undefined || isWrapperDesc(field.message)) return true;
  const isText = ["Timestamp", "Duration", "FieldMask"].some(
    (name) => field.message?.typeName === `google.protobuf.${name}`,
  );
  if (hasCustomJsonRepresentation(field.message)) return isText && field.fieldKind !== "map";
  return field.fieldKind !== "list";
}

/** A query tells of a message by its fields: one that has none is not there. */
function withoutEmpty(json: JsonValue): JsonValue | undefined {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.length === 0 ? undefined : json;
  const entries = Object.entries(json).map(([key, value]) => [key, withoutEmpty(value)] as const);
  const left = entries.filter(([, value]) => value !== undefined);
  return left.length === 0 ? undefined : (Object.fromEntries(left) as JsonObject);
}

function withoutUndefined(json: Record<string, JsonValue | undefined>): JsonObject {
  return structuredClone(
    Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined)) as JsonObject,
  );
}

function anyInPath(input: DescMessage, { path, segments }: PathVariable): fc.Arbitrary<JsonValue> {
  const field = fieldAt(input, path);
  const isText = field.scalar === ScalarType.STRING || field.message?.typeName === "google.protobuf.StringValue";
  if (!isText)
    return (anyField(field, { depth: 0, takes: () => true }) ?? fc.constant(null)).filter((value) => value !== "");
  const whole = segments.length === 1 && segments[0] === "*";
  const text = anyText.filter((each) => each !== "" && (whole || !each.includes("/")));
  const parts = segments.map((segment) => {
    if (segment === "*") return text.map((each) => [each]);
    return segment === "**" ? fc.array(text, { minLength: 1, maxLength: 3 }) : fc.constant([segment]);
  });
  return fc.tuple(...parts).map((lists) => lists.flat().join("/"));
}

function fieldAt(desc: DescMessage, path: string): DescField {
  const [name, ...below] = path.split(".");
  const field = desc.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`${desc.typeName} has no field ${name}`);
  return below.length === 0 || field.message === undefined ? field : fieldAt(field.message, below.join("."));
}

function put(desc: DescMessage, json: JsonObject, path: string, value: JsonValue): void {
  const [name = "", ...below] = path.split(".");
  const field = fieldAt(desc, name);
  if (below.length === 0 || field.message === undefined) {
    json[field.jsonName] = value;
    return;
  }
  const inner = (json[field.jsonName] ?? {}) as JsonObject;
  json[field.jsonName] = inner;
  put(field.message, inner, below.join("."), value);
}
