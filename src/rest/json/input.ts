import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import { invalidArgument } from "../../call/errors.ts";
import { fieldNamed, isTree, type JsonTree } from "../fields.ts";
import { unreadable } from "../refusal.ts";
import { enumNames } from "./enum-names.ts";
import { explainJson } from "./explain.ts";
import type { JsonStyle } from "./style.ts";

type Prepare = (json: JsonValue) => JsonValue;

/**
 * Reads a message from JSON in either spelling of its names. What Protobuf's own mapping would refuse is translated
 * first: field masks in snake_case, and with the plain style the short names of enums. Failing, it names every field
 * that is wrong; looking for them costs only those who fail.
 */
export function messageReader(desc: DescMessage, style: JsonStyle, registry: Registry): (json: JsonTree) => Message {
  const prepare = prepareMessage(desc, { style, open: new Map(), done: new Map() });
  return (json) => {
    const prepared = prepare === undefined ? json : prepare(json);
    try {
      return fromJson(desc, prepared, { registry });
    } catch {
      const violations = explainJson(desc, prepared, registry);
      throw violations.length > 0 ? invalidArgument(violations) : unreadable("the request cannot be read as JSON");
    }
  };
}

interface Plan {
  readonly style: JsonStyle;
  /** Messages on the way down to here: one that holds itself is planned by reference. */
  readonly open: Map<DescMessage, Map<DescField, Prepare>>;
  readonly done: Map<DescMessage, Prepare | undefined>;
}

/** What has to be done to JSON of this message; `undefined` when nothing has, which is what most messages need. */
function prepareMessage(desc: DescMessage, plan: Plan): Prepare | undefined {
  if (desc.typeName === "google.protobuf.FieldMask") return camelCaseMask;
  if (desc.typeName.startsWith("google.protobuf.")) return undefined;
  if (plan.done.has(desc)) return plan.done.get(desc);
  const outer = plan.open.get(desc);
  if (outer !== undefined) return (json) => prepareTree(desc, json, outer);
  const fields = new Map<DescField, Prepare>();
  plan.open.set(desc, fields);
  for (const field of desc.fields) {
    const prepare = prepareField(field, plan);
    if (prepare !== undefined) fields.set(field, prepare);
  }
  const prepare: Prepare | undefined = fields.size === 0 ? undefined : (json) => prepareTree(desc, json, fields);
  plan.done.set(desc, prepare);
  return prepare;
}

function prepareTree(desc: DescMessage, json: JsonValue, fields: ReadonlyMap<DescField, Prepare>): JsonValue {
  if (!isTree(json)) return json;
  return mapTree(json, (value, key) => {
    const field = fieldNamed(desc, key);
    return (field && fields.get(field)?.(value)) ?? value;
  });
}

function prepareField(field: DescField, plan: Plan): Prepare | undefined {
  const one = prepareValue(field, plan);
  if (one === undefined) return undefined;
  if (field.fieldKind === "list") return (json) => (Array.isArray(json) ? json.map(one) : json);
  if (field.fieldKind === "map") return (json) => (isTree(json) ? mapTree(json, one) : json);
  return one;
}

function prepareValue(field: DescField, plan: Plan): Prepare | undefined {
  if (field.message !== undefined) return prepareMessage(field.message, plan);
  if (field.enum === undefined || plan.style !== "plain") return undefined;
  const { toShort, fromShort } = enumNames(field.enum);
  return (json) => (typeof json !== "string" || toShort.has(json) ? json : (fromShort.get(json.toLowerCase()) ?? json));
}

function mapTree(json: JsonTree, change: (value: JsonValue, key: string) => JsonValue): JsonTree {
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, change(value, key)]));
}

function camelCaseMask(json: JsonValue): JsonValue {
  return typeof json === "string"
    ? json
        .split(",")
        .map((path) => protoCamelCase(path.trim()))
        .join(",")
    : json;
}
