import { type DescField, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { type JsonTree, newTree } from "../../rest/fields.ts";
import { textToJson } from "../../rest/json/text-to-json.ts";
import type { Given } from "./aggregate.ts";
import type { Reader } from "./reader.ts";

/** A field of a part's request, and what it is given. */
export interface RequestField {
  readonly along: readonly DescField[];
  readonly last: DescField;
  readonly reader: Reader;
}

/** Checks that the field along the path can be given what the reader reads; throws where it cannot. */
export function requestField(along: readonly DescField[], path: string, reader: Reader): RequestField {
  const last = along.at(-1);
  if (last === undefined || last.fieldKind === "map") throw new Error(`request.${path}: a map cannot be given`);
  if (reader.several && last.fieldKind !== "list") {
    throw new Error(`request.${path}: takes one value, and is given several: name them in "each"`);
  }
  return { along, last, reader };
}

/** The request as JSON; `each` is the one value of several that it is made for. */
export function treeOf(fields: readonly RequestField[], given: Given, each: JsonValue | undefined): JsonTree {
  const tree = newTree();
  for (const { along, last, reader } of fields) {
    const values = reader.values(given, each).map((value) => fitting(last, value, reader.isText));
    if (values.length === 0) continue;
    let at = tree;
    for (const field of along.slice(0, -1)) {
      const inner = (at[field.jsonName] ?? newTree()) as JsonTree;
      at[field.jsonName] = inner;
      at = inner;
    }
    at[last.jsonName] = last.fieldKind === "list" ? values : (values[0] ?? null);
  }
  return tree;
}

/** A number may be given where text is wanted; text of a path or a query is read as the field asks for. */
function fitting(field: DescField, value: JsonValue, isText: boolean): JsonValue {
  if (isText) return textToJson(field, String(value));
  return field.scalar === ScalarType.STRING && typeof value !== "string" && typeof value !== "object"
    ? String(value)
    : value;
}
