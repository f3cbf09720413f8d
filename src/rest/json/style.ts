import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { isLong, isTree, type JsonTree, snakeName } from "../fields.ts";
import { enumNames } from "./enum-names.ts";

/**
 * How answers are written: `protojson` as the Protobuf JSON mapping has it; `plain` as clients that know nothing of
 * Protobuf like it: snake_case, 64-bit integers as numbers while those are exact, enums in short lower case.
 */
export type JsonStyle = "protojson" | "plain";

type Restyle = (json: JsonValue) => JsonValue;

/** Turns protojson of a message into the plain style; planned once per message. Unsafe integers stay strings. */
export function plainStyle(desc: DescMessage): Restyle {
  const known = plans.get(desc);
  if (known !== undefined) return known;
  if (isWrapperDesc(desc)) return remember(desc, valueStyle(desc.fields[0]) ?? unchanged);
  if (desc.typeName.startsWith("google.protobuf.")) return remember(desc, unchanged);
  const entries = new Map<string, { readonly name: string; readonly restyle: Restyle }>();
  const restyle = remember(desc, (json) => (isTree(json) ? restyleTree(json, entries) : json));
  for (const field of desc.fields) {
    entries.set(field.jsonName, { name: snakeName(field), restyle: fieldStyle(field) });
  }
  return restyle;
}

const plans = new WeakMap<DescMessage, Restyle>();
const unchanged: Restyle = (json) => json;

/** Kept before its fields are planned, so that a message may hold itself. */
function remember(desc: DescMessage, restyle: Restyle): Restyle {
  plans.set(desc, restyle);
  return restyle;
}

function restyleTree(
  json: JsonTree,
  entries: ReadonlyMap<string, { readonly name: string; readonly restyle: Restyle }>,
): JsonTree {
  const out: JsonTree = {};
  for (const key of Object.keys(json)) {
    const entry = entries.get(key);
    const value = json[key] ?? null;
    if (entry === undefined) out[key] = value;
    else out[entry.name] = entry.restyle(value);
  }
  return out;
}

function fieldStyle(field: DescField): Restyle {
  const one = valueStyle(field);
  if (one === undefined) return unchanged;
  if (field.fieldKind === "list") return (json) => (Array.isArray(json) ? json.map(one) : json);
  if (field.fieldKind === "map") return (json) => (isTree(json) ? mapValues(json, one) : json);
  return one;
}

function valueStyle(field: DescField): Restyle | undefined {
  if (field.message !== undefined) return plainStyle(field.message);
  if (field.enum !== undefined) {
    const { toShort } = enumNames(field.enum);
    return (json) => (typeof json === "string" ? (toShort.get(json) ?? json) : json);
  }
  return isLong(field.scalar) ? longToNumber : undefined;
}

/** `Object.fromEntries` and not assignment: a map's key may be `__proto__`. */
function mapValues(json: JsonTree, restyle: Restyle): JsonTree {
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, restyle(value)]));
}

function longToNumber(json: JsonValue): JsonValue {
  const number = Number(json);
  return typeof json === "string" && Number.isSafeInteger(number) ? number : json;
}
