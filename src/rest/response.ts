import type { DescField, JsonValue, Message, Registry } from "@bufbuild/protobuf";
import type { Binding, LocationRule } from "./binding.ts";
import { enumNames } from "./enum-names.ts";
import { snakeName } from "./fields.ts";
import { type JsonStyle, plainStyle } from "./json-style.ts";
import { JsonText, type TextRules } from "./json-text.ts";
import { fillTemplate } from "./template.ts";

/** Writes a response message as JSON text. */
export type ResponseWriter = (message: Message) => string;

/**
 * Plans how a binding's responses are written: the whole message, or the one field that `response_body` names. Fields
 * with default values are written too, so that a caller sees every field there is.
 */
export function responseWriter(
  { method, responseBody }: Binding,
  style: JsonStyle,
  registry: Registry,
): ResponseWriter {
  const text = new JsonText(textRules(style, registry));
  if (responseBody === undefined) return text.writerOf(method.output);
  const writeField = text.fieldWriter(responseBody);
  const missing = JSON.stringify(emptyBody(responseBody));
  return (message) => writeField(message) ?? missing;
}

function textRules(style: JsonStyle, registry: Registry): TextRules {
  const isPlain = style === "plain";
  return {
    registry,
    hasNumbers: isPlain,
    nameOf: isPlain ? snakeName : ({ jsonName }) => jsonName,
    enumText: (desc, jsonName) => (isPlain ? enumNames(desc).toShort.get(jsonName) : undefined) ?? jsonName,
    restyle: (desc, json) => (isPlain ? plainStyle(desc)(json) : json),
  };
}

/** What stands for a response_body that is not set. */
function emptyBody(field: DescField): JsonValue {
  if (field.fieldKind === "list") return [];
  return field.fieldKind === "message" || field.fieldKind === "map" ? {} : null;
}

/** Where the created resource is; `undefined` when the response lacks what the path needs. */
export function locationOf({ template, variables }: LocationRule, message: Message): string | undefined {
  const values = new Map(variables.map(({ path, fields }) => [path, textAt(message, fields)]));
  if ([...values.values()].includes("")) return undefined;
  return fillTemplate(template, ({ path }) => values.get(path) ?? "");
}

function textAt(message: Message, fields: readonly DescField[]): string {
  let at: unknown = message;
  for (const field of fields) at = at === undefined ? undefined : fieldValue(at as Record<string, unknown>, field);
  return at === undefined ? "" : String(at);
}

function fieldValue(message: Record<string, unknown>, field: DescField): unknown {
  if (field.oneof === undefined) return message[field.localName];
  const chosen = message[field.oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}
