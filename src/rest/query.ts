import type { DescField, JsonValue } from "@bufbuild/protobuf";
import type { Binding } from "./binding.ts";
import { fieldsAlong, isFieldMask, isTextual, isTree, type JsonTree, keyOf, newTree } from "./fields.ts";
import { badField, unreadable } from "./refusal.ts";
import { textToJson } from "./text.ts";

const maxParameters = 1000;

/** A query string taken apart and decoded; names may repeat. `+` is a space, as HTML forms and most clients have it. */
export function parseQuery(query: string): readonly (readonly [string, string])[] {
  if (query === "") return [];
  const parts = query.split("&").filter((part) => part !== "");
  if (parts.length > maxParameters) throw unreadable(`more than ${maxParameters} query parameters`);
  return parts.map((part) => {
    const equals = part.indexOf("=");
    return equals < 0 ? [decode(part), ""] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw badField(text, "has a bad percent escape in the query string");
  }
}

/**
 * Puts one query parameter where it belongs in the request's JSON: "page_size", "order.id", "skus" repeated,
 * "metadata[key]". What the path or the body gives cannot come from the query too.
 */
export function placeParameter(tree: JsonTree, binding: Binding, [name, text]: readonly [string, string]): void {
  const target = targetOf(binding, name);
  const holder = openHolder(tree, target);
  const last = target.steps.at(-1);
  if (last === undefined || holder === undefined) throw badField(name, "unknown query parameter");
  const key = keyOf(holder, last.field) ?? last.key;
  holder[key] = joined(last.field, {
    name,
    before: holder[key],
    value: textToJson(last.field, text),
    mapKey: target.mapKey,
  });
}

interface Target {
  /** Fields with the caller's spelling of their names. */
  readonly steps: readonly { readonly field: DescField; readonly key: string }[];
  readonly mapKey: string | undefined;
}

function targetOf(binding: Binding, name: string): Target {
  const [, base = name, mapKey] = /^([^[\]]+)\[(.*)\]$/s.exec(name) ?? [];
  const path = maskPath(binding, base);
  const fields = fieldsAlong(binding.method.input, path);
  if (binding.body.kind === "all") throw badField(name, "unknown query parameter: this method reads its body alone");
  const last = typeof fields === "string" ? undefined : fields.at(-1);
  if (typeof fields === "string" || last === undefined) throw badField(name, "unknown query parameter");
  if (binding.body.kind === "field" && binding.body.field === fields[0]) throw badField(name, "is given by the body");
  if (binding.variables.some((variable) => same(variable.fields, fields))) throw badField(name, "is given by the path");
  const isEntry = last.fieldKind === "map" && mapKey !== undefined && mapKey !== "__proto__";
  if (!(mapKey === undefined ? isTextual(last) : isEntry)) throw badField(name, "cannot be given in the query string");
  const keys = path.split(".");
  return { steps: fields.map((field, i) => ({ field, key: keys[i] ?? field.jsonName })), mapKey };
}

/** "update_mask.paths" is the mask itself: JSON has no field below it. */
function maskPath(binding: Binding, path: string): string {
  if (!path.endsWith(".paths")) return path;
  const mask = path.slice(0, -".paths".length);
  const fields = fieldsAlong(binding.method.input, mask);
  const last = typeof fields === "string" ? undefined : fields.at(-1);
  return last !== undefined && isFieldMask(last) ? mask : path;
}

function same(a: readonly DescField[], b: readonly DescField[]): boolean {
  return a.length === b.length && a.every((field, i) => field === b[i]);
}

function openHolder(tree: JsonTree, { steps }: Target): JsonTree | undefined {
  let at = tree;
  for (const { field, key } of steps.slice(0, -1)) {
    const name = keyOf(at, field) ?? key;
    const inner = at[name] ?? newTree();
    if (!isTree(inner)) return undefined;
    at[name] = inner;
    at = inner;
  }
  return at;
}

interface Joining {
  readonly name: string;
  readonly before: JsonValue | undefined;
  readonly value: JsonValue;
  readonly mapKey: string | undefined;
}

function joined(field: DescField, { name, before, value, mapKey }: Joining): JsonValue {
  if (field.fieldKind === "list") return Array.isArray(before) ? [...before, value] : [value];
  if (mapKey !== undefined && (before === undefined || isTree(before))) {
    if (before !== undefined && Object.hasOwn(before, mapKey)) throw badField(name, "is given twice");
    return { ...before, [mapKey]: value };
  }
  if (before === undefined) return value;
  if (isFieldMask(field)) return `${String(before)},${String(value)}`;
  throw badField(name, "is given twice");
}
