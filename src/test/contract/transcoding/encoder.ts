import type { DescField, DescMessage, DescMethod, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import type { HttpRule } from "../../../../gen/google/api/http_pb.ts";

/** A REST request, as a client of a google.api.http rule makes it. */
export interface RestRequest {
  readonly method: string;
  readonly url: string;
  readonly body: Uint8Array | string | undefined;
  readonly contentType: string;
}

/** A field by its dotted path in a template, with the segments it covers; "*" where the template does not say. */
export interface PathVariable {
  readonly path: string;
  readonly segments: readonly string[];
}

const variablePattern = /\{([^}=]+)(?:=([^}]+))?\}/g;

/** What a rule says of HTTP: its method and its path. */
export function patternOf({ pattern }: HttpRule): readonly [method: string, path: string] {
  if (pattern.case === undefined) throw new Error("a rule without pattern");
  if (pattern.case !== "custom") return [pattern.case.toUpperCase(), pattern.value];
  return [pattern.value.kind === "*" ? "BREW" : pattern.value.kind.toUpperCase(), pattern.value.path];
}

/** The variables of a rule's path. */
export function variablesOf(rule: HttpRule): readonly PathVariable[] {
  const [, path] = patternOf(rule);
  return [...path.matchAll(variablePattern)].map(([, name = "", segments = "*"]) => ({
    path: name,
    segments: segments.split("/"),
  }));
}

/**
 * The request that stands for a message, made as google/api/http.proto tells clients to: path variables first, then the
 * body, and all that is left in the query. Written apart from what reads it, so that both cannot err in the same way.
 */
export function encode(method: DescMethod, rule: HttpRule, message: JsonObject, jsonNames: boolean): RestRequest {
  const rest = structuredClone(message);
  const [httpMethod, template] = patternOf(rule);
  const path = template.replace(variablePattern, (_, name: string, segments = "*") => {
    const value = take(method.input, rest, name);
    return segments === "*" ? strictly(value) : value.split("/").map(strictly).join("/");
  });
  const { body, contentType } = takeBody(method.input, rule, rest);
  const query = rule.body === "*" ? [] : parameters(method.input, rest, { prefix: "", jsonNames });
  const url =
    query.length === 0 ? path : `${path}?${query.map((pair) => pair.map(encodeURIComponent).join("=")).join("&")}`;
  return { method: httpMethod, url, body, contentType };
}

/** All but unreserved characters: RFC 6570 §3.2.2. */
function strictly(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
}

function fieldOf(desc: DescMessage, name: string): DescField {
  const field = desc.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`${desc.typeName} has no field ${name}`);
  return field;
}

/** Takes a value out, and with it the messages that are empty without it: the path brings them back. */
function take(desc: DescMessage, json: JsonObject, path: string): string {
  const [name = "", ...below] = path.split(".");
  const field = fieldOf(desc, name);
  const value = json[field.jsonName];
  if (below.length === 0 || field.message === undefined) {
    delete json[field.jsonName];
    return String(value);
  }
  const inner = value as JsonObject;
  const taken = take(field.message, inner, below.join("."));
  if (Object.keys(inner).length === 0) delete json[field.jsonName];
  return taken;
}

function takeBody(desc: DescMessage, rule: HttpRule, rest: JsonObject): Pick<RestRequest, "body" | "contentType"> {
  if (rule.body === "") return { body: undefined, contentType: "" };
  const field = rule.body === "*" ? undefined : fieldOf(desc, rule.body);
  const value = field === undefined ? rest : (rest[field.jsonName] ?? emptyOf(field));
  if (field !== undefined) delete rest[field.jsonName];
  const type = field === undefined ? desc : field.message;
  if (type?.typeName !== "google.api.HttpBody") return { body: JSON.stringify(value), contentType: "application/json" };
  const { contentType = "", data = "" } = value as { readonly contentType?: string; readonly data?: string };
  return { body: Buffer.from(data, "base64"), contentType };
}

function emptyOf(field: DescField): JsonValue {
  return field.fieldKind === "list" ? [] : {};
}

interface Naming {
  readonly prefix: string;
  readonly jsonNames: boolean;
}

function parameters(desc: DescMessage, json: JsonObject, naming: Naming): (readonly [string, string])[] {
  return Object.entries(json).flatMap(([key, value]) => {
    const field = desc.fields.find(({ jsonName }) => jsonName === key);
    if (field === undefined) throw new Error(`${desc.typeName} has no field ${key}`);
    const name = naming.prefix + (naming.jsonNames ? field.jsonName : field.name);
    if (field.fieldKind === "list")
      return (value as JsonValue[]).flatMap((each) => parameter(field, each, { ...naming, prefix: name }));
    if (field.fieldKind !== "map") return parameter(field, value, { ...naming, prefix: name });
    return Object.entries(value as JsonObject).flatMap(([entry, each]) =>
      parameter(field, each, { ...naming, prefix: `${name}[${entry}]` }),
    );
  });
}

function parameter(field: DescField, value: JsonValue, { prefix, jsonNames }: Naming): (readonly [string, string])[] {
  if (field.message === undefined || hasCustomJsonRepresentation(field.message)) return [[prefix, String(value)]];
  return parameters(field.message, value as JsonObject, { prefix: `${prefix}.`, jsonNames });
}
