import type { DescField, JsonValue } from "@bufbuild/protobuf";
import { isFieldMask, isTree, type JsonTree, keyOf, newTree } from "../fields.ts";
import { textToJson } from "../json/text-to-json.ts";
import { badField, unreadable } from "../refusal.ts";
import type { Binding } from "../routes/binding.ts";
import { type ParameterStep, parameterSteps } from "./parameter-name.ts";

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
 * "metadata[key]", "parts[key].size". What the path or the body gives cannot come from the query too.
 */
export function placeParameter(tree: JsonTree, binding: Binding, [name, text]: readonly [string, string]): void {
  const steps = targetOf(binding, name);
  const last = steps.at(-1);
  const holder = openHolder(tree, steps);
  if (last === undefined || holder === undefined) throw badField(name, "unknown query parameter");
  const key = last.mapKey ?? keyOf(holder, last.field) ?? last.key;
  const before = holder[key];
  const value = textToJson(last.field, text);
  if (last.field.fieldKind === "list" && Array.isArray(before)) before.push(value);
  else holder[key] = before === undefined ? firstOf(last.field, value) : joined(last.field, { name, before, value });
}

function targetOf(binding: Binding, name: string): readonly ParameterStep[] {
  const steps = parameterSteps(binding.method.input, name);
  const { body } = binding;
  if (body.kind === "all" || (body.kind === "raw" && body.field === undefined))
    throw badField(name, "unknown query parameter: this method reads its body alone");
  const last = steps?.at(-1);
  if (steps === undefined || last === undefined) throw badField(name, "unknown query parameter");
  if ("field" in body && body.field === steps[0]?.field) throw badField(name, "is given by the body");
  if (binding.variables.some(({ fields }) => same(fields, steps))) throw badField(name, "is given by the path");
  if (!last.isTextual) throw badField(name, "cannot be given in the query string");
  return steps;
}

function same(fields: readonly DescField[], steps: readonly ParameterStep[]): boolean {
  return fields.length === steps.length && fields.every((field, i) => field === steps[i]?.field);
}

/** The object that the last step's value goes into; `undefined` when something else stands on the way. */
function openHolder(tree: JsonTree, steps: readonly ParameterStep[]): JsonTree | undefined {
  let at: JsonTree | undefined = tree;
  for (const [i, { field, key, mapKey }] of steps.entries()) {
    const isLast = i === steps.length - 1;
    if (!isLast || mapKey !== undefined) at = at && opened(at, keyOf(at, field) ?? key);
    if (!isLast && mapKey !== undefined) at = at && opened(at, mapKey);
  }
  return at;
}

function opened(tree: JsonTree, key: string): JsonTree | undefined {
  const inner = tree[key] ?? newTree();
  if (!isTree(inner)) return undefined;
  tree[key] = inner;
  return inner;
}

function firstOf(field: DescField, value: JsonValue): JsonValue {
  return field.fieldKind === "list" ? [value] : value;
}

interface Joining {
  readonly name: string;
  readonly before: JsonValue;
  readonly value: JsonValue;
}

function joined(field: DescField, { name, before, value }: Joining): JsonValue {
  if (isFieldMask(field)) return `${String(before)},${String(value)}`;
  throw badField(name, "is given twice");
}
