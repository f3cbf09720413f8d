import { create, type DescField, type JsonValue, type Message, type Registry } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { isTree, type JsonTree, keyOf, newTree, snakeName } from "../fields.ts";
import { messageReader } from "../json/input.ts";
import type { JsonStyle } from "../json/style.ts";
import { textToJson } from "../json/text-to-json.ts";
import type { RawBody } from "../raw/http-body.ts";
import { badField, unreadable } from "../refusal.ts";
import type { Binding, BoundVariable } from "../routes/binding.ts";
import { settleMask } from "./mask.ts";
import { pathReader, variableText } from "./path-variables.ts";
import { parseQuery, placeParameter } from "./query.ts";

/** What HTTP brought: the body, the path's raw segments, the query string without its question mark. */
export interface RestInput {
  /** Parsed; `undefined` for none. */
  readonly body: JsonValue | undefined;
  /** The body as it came, where the binding takes it so. */
  readonly raw?: RawBody | undefined;
  readonly segments: readonly string[];
  readonly query: string;
}

/** Makes the request message of one binding. */
export type RequestReader = (input: RestInput) => Message;

/**
 * Plans how a binding's requests are read: body, path and query are put into one JSON object, and that is read once,
 * so that every value is checked, and every error worded, in the same way wherever it came from.
 */
export function requestReader(binding: Binding, style: JsonStyle, registry: Registry): RequestReader {
  const read = messageReader(binding.method.input, style, registry);
  const nameOf = (field: DescField) => (style === "plain" ? snakeName(field) : field.jsonName);
  const readPath = pathReader(binding);
  return ({ body, raw, segments, query }) => {
    if (query === "" && readPath !== undefined) return readPath(segments);
    const tree = bodyTree(binding, body, nameOf);
    for (const variable of binding.variables)
      placeVariable(tree, { variable, nameOf, text: variableText(variable, segments) });
    for (const parameter of parseQuery(query)) placeParameter(tree, binding, parameter);
    const message = read(tree);
    settleMask(message, binding, body);
    if (raw !== undefined) placeRaw(message, binding, raw);
    return message;
  };
}

type NameOf = (field: DescField) => string;

function bodyTree({ body: rule }: Binding, body: JsonValue | undefined, nameOf: NameOf): JsonTree {
  switch (rule.kind) {
    case "none":
    case "raw":
      return newTree();
    case "all":
      if (body !== undefined && !isTree(body)) throw unreadable("the body has to be a JSON object");
      return newTree(body);
    case "field":
      if (isMissing(rule.field, body)) {
        throw badField(nameOf(rule.field), "is missing: the request's body has to be its JSON");
      }
      return newTree({ [nameOf(rule.field)]: body ?? null });
  }
}

/** Whether a body says nothing of its field; `null` is a value to those messages that have a JSON of their own. */
function isMissing(field: DescField, body: JsonValue | undefined): boolean {
  const isOpen = field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message);
  return body === undefined || (body === null && isOpen);
}

/** Puts a body as it came into the message's field for it, or makes it the message. */
export function placeRaw(message: Message, { body: rule }: Binding, { contentType, data }: RawBody): void {
  if (rule.kind !== "raw") return;
  if (rule.field?.message === undefined) Object.assign(message, { contentType, data });
  else setField(message, rule.field, create(rule.field.message, { contentType, data }));
}

function setField(message: Message, field: DescField, value: Message): void {
  const set = field.oneof === undefined ? value : { case: field.localName, value };
  Object.assign(message, { [(field.oneof ?? field).localName]: set });
}

interface Placing {
  readonly variable: BoundVariable;
  readonly text: string;
  readonly nameOf: NameOf;
}

/** Copies what it changes on the way down: the body may belong to somebody else. */
function placeVariable(tree: JsonTree, { variable, text, nameOf }: Placing): void {
  let at = tree;
  for (const field of variable.fields.slice(0, -1)) {
    const key = keyOf(at, field) ?? nameOf(field);
    const inner = at[key] ?? {};
    if (!isTree(inner)) return; // reading the message will name it
    at = at[key] = newTree(inner);
  }
  const last = variable.fields.at(-1);
  if (last === undefined) return;
  const key = keyOf(at, last) ?? nameOf(last);
  const given = at[key] ?? null;
  const value = textToJson(last, text);
  if (given !== null && String(given) !== String(value)) {
    throw badField(variable.path, `is ${JSON.stringify(given).slice(0, 100)} in the body but "${text}" in the path`);
  }
  at[key] = value;
}
