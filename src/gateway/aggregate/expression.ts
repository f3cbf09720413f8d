import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { fieldNamed, isTree } from "../../rest/fields.ts";

/** Where a value in a request comes from. */
export type Expression =
  | { readonly kind: "literal"; readonly value: JsonValue }
  | { readonly kind: "path" | "query"; readonly name: string }
  | { readonly kind: "part"; readonly part: string; readonly fields: readonly string[] }
  | { readonly kind: "each"; readonly fields: readonly string[] };

const wordsPattern = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;
const literals: ReadonlyMap<string, JsonValue> = new Map([
  ["true", true],
  ["false", false],
]);

/** Reads "path.id", "query.page_size", "orders.items.sku", "each", "each.sku", 10, true or "\"text\"". Throws an Error for anything else. */
export function parseExpression(text: string): Expression {
  const literal = literals.get(text);
  if (literal !== undefined) return { kind: "literal", value: literal };
  if (/^["\d-]/.test(text)) return { kind: "literal", value: literalOf(text) };
  if (!wordsPattern.test(text)) throw unreadable(text);
  const [root = "", ...fields] = text.split(".");
  if (root === "each") return { kind: "each", fields };
  if (root !== "path" && root !== "query") return { kind: "part", part: root, fields };
  if (fields.length === 0) throw unreadable(text);
  return { kind: root, name: fields.join(".") };
}

function literalOf(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw unreadable(text); // JSON's own words are about JSON
  }
}

function unreadable(text: string): Error {
  const forms =
    '"path.<variable>", "query.<parameter>", "<part>.<field>", "each", a number, true, false, or text in quotes';
  return new Error(`cannot read ${JSON.stringify(text)}; it has to be ${forms}`);
}

/** What a walk through fields begins with: a message, or a field, of which there may be several. */
export interface Start {
  readonly desc: DescMessage | DescField;
  readonly several: boolean;
}

/** Where a walk through fields leads. */
export interface Walk extends Start {
  /** The JSON names on the way. */
  readonly names: readonly string[];
}

/** The way along field names, through lists as well. Throws an Error where there is none. */
export function walk(start: Start, fields: readonly string[]): Walk {
  let { desc, several } = start;
  const names: string[] = [];
  for (const name of fields) {
    const message = messageOf(desc);
    if (message === undefined) throw new Error(`there is no "${name}" in ${desc.toString()}, which holds no fields`);
    const field = fieldNamed(message, name);
    if (field === undefined) throw new Error(`${message.typeName} has no field "${name}"`);
    if (field.fieldKind === "map")
      throw new Error(`"${name}" of ${message.typeName} is a map, whose values have no path`);
    names.push(field.jsonName);
    several ||= field.fieldKind === "list";
    desc = field;
  }
  return { desc, several, names };
}

function messageOf(desc: DescMessage | DescField): DescMessage | undefined {
  const message = desc.kind === "message" ? desc : desc.message;
  return message === undefined || hasCustomJsonRepresentation(message) ? undefined : message;
}

/** The values at the end of a walk, in order, of protojson; lists are taken apart. What is not there is left out. */
export function valuesAt(json: JsonValue | undefined, names: readonly string[]): JsonValue[] {
  if (json === undefined || json === null) return [];
  if (Array.isArray(json)) return json.flatMap((item) => valuesAt(item, names));
  const [name, ...rest] = names;
  if (name === undefined) return [json];
  return isTree(json) && Object.hasOwn(json, name) ? valuesAt(json[name], rest) : [];
}
