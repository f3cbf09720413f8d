import { type DescEnum, type DescField, type DescMessage, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { createValidator, type Validator } from "@bufbuild/protovalidate";
import type { JsonOutput } from "../response/response.ts";
import { commentOf } from "./comments.ts";
import { described } from "./described.ts";
import { enumSchema } from "./enum-schema.ts";
import {
  celWords,
  collectionKeywords,
  keyKeywords,
  messageRulesOf,
  rulesOf,
  valueRules,
  zeroPasses,
} from "./field-rules.ts";
import { mandatoryFields } from "./mandatory.ts";
import { exclusions } from "./oneof-rules.ts";
import { type Direction, scalarSchema, wellKnownSchema, zeroOf } from "./value-schema.ts";

/** Fields along a path, outermost first. */
type Path = readonly DescField[];

/**
 * The component schemas of a document, made as they are referred to. A message that goes both ways and is not the same
 * in both has two: what answers hold under its own name, what requests may hold under `…-Input`.
 */
export class Schemas {
  readonly #inputs = new Map<DescMessage, JsonObject>();
  readonly #outputs = new Map<DescMessage, JsonObject>();
  readonly #outputNames = new Set<string>();
  readonly #enums = new Map<DescEnum, JsonObject>();
  readonly #json: JsonOutput;
  #validator: Validator | undefined;

  constructor(json: JsonOutput = {}) {
    this.#json = json;
  }

  /** The schema of a message: inline where JSON has its own way of writing it, else a reference. */
  message(desc: DescMessage, direction: Direction): JsonObject {
    const inline = wellKnownSchema(desc, direction);
    if (inline !== undefined) return inline;
    const known = direction === "input" ? this.#inputs : this.#outputs;
    if (!known.has(desc)) {
      known.set(desc, {}); // so that a message may hold itself
      if (direction === "output") this.#outputNames.add(desc.typeName);
      known.set(desc, this.#object(desc, direction, []));
    }
    return { $ref: placeholder(desc, direction) };
  }

  /** The schema of a request message without what its path gives: the same reference where that is nothing of it. */
  messageWithout(desc: DescMessage, paths: readonly Path[]): JsonObject {
    if (paths.length === 0 || wellKnownSchema(desc, "input") !== undefined) return this.message(desc, "input");
    return this.#object(desc, "input", paths);
  }

  /** How answers spell a field; requests may spell it so, too. */
  nameOf({ name, jsonName }: DescField): string {
    return this.#json.useProtoFieldName === true ? name : jsonName;
  }

  /** How answers spell a name that is snake_case in the contract. */
  memberName(name: string): string {
    return this.#json.useProtoFieldName === true ? name : protoCamelCase(name);
  }

  /** The schema of a field as it stands in a message, with its comment and its rules. */
  field(field: DescField, direction: Direction, without: readonly Path[] = []): JsonObject {
    const rules = rulesOf(field);
    const { schema, words } = this.#shape(field, direction, without);
    const ruled = { ...schema, ...collectionKeywords(rules) };
    const free = zeroPasses(rules) && field.fieldKind !== "message" && schema.$ref === undefined;
    const description = [commentOf(field), ...words, ...celWords(rules), ...this.#choice(field)];
    return {
      ...(free ? { anyOf: [ruled, { const: zeroOf(field) }] } : ruled),
      ...described(description),
      ...(field.deprecated && { deprecated: true }),
    };
  }

  /** The fields that a request cannot go without. */
  mandatory(desc: DescMessage): ReadonlySet<DescField> {
    return mandatoryFields(desc, () => (this.#validator ??= createValidator()));
  }

  /** Everything that was referred to, by the name of its component. */
  components(): Readonly<Record<string, JsonObject>> {
    const entries: [string, JsonObject][] = [];
    for (const [desc, schema] of this.#outputs) entries.push([desc.typeName, schema]);
    for (const [desc, schema] of this.#inputs) entries.push([this.#inputName(desc), schema]);
    for (const [desc, schema] of this.#enums) entries.push([desc.typeName, schema]);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Where a reference made here leads, once all of them are known. */
  resolve(ref: string): string {
    const [, direction, typeName] = /^(input|output):(.*)$/.exec(ref) ?? [];
    if (direction === undefined) return ref;
    const isInput = direction === "input" && this.#outputNames.has(typeName ?? "");
    return `#/components/schemas/${typeName}${isInput ? inputSuffix : ""}`;
  }

  #inputName(desc: DescMessage): string {
    return this.#outputs.has(desc) ? `${desc.typeName}${inputSuffix}` : desc.typeName;
  }

  #object(desc: DescMessage, direction: Direction, without: readonly Path[]): JsonObject {
    const gone = new Set(without.filter((path) => path.length === 1).map(([first]) => first));
    const fields = desc.fields.filter((field) => !gone.has(field));
    const below = (field: DescField) => without.filter(([first]) => first === field).map((path) => path.slice(1));
    const properties = fields.map((field) => [this.nameOf(field), this.field(field, direction, below(field))] as const);
    const required = fields.filter((field) => this.#isRequired(field, direction)).map((field) => this.nameOf(field));
    return {
      type: "object",
      ...described([commentOf(desc), ...celWords(messageRulesOf(desc))]),
      properties: Object.fromEntries(properties),
      ...(required.length > 0 && { required }),
      ...exclusions(desc, fields, (field) => this.nameOf(field)),
      ...(direction === "input" && { additionalProperties: false }),
      ...(desc.deprecated && { deprecated: true }),
    };
  }

  /** Answers hold every field that has no absence; requests need what the rules of the contract ask for. */
  #isRequired(field: DescField, direction: Direction): boolean {
    if (direction === "input") return this.mandatory(field.parent as DescMessage).has(field);
    if (this.#json.alwaysEmitImplicit === false) return false;
    return field.presence === Presence.IMPLICIT || field.presence === Presence.LEGACY_REQUIRED;
  }

  #shape(field: DescField, direction: Direction, without: readonly Path[]): Shaped {
    const rules = rulesOf(field);
    if (field.fieldKind === "list") {
      const items = rules?.type.case === "repeated" ? rules.type.value.items : undefined;
      const { schema, words } = this.#value(field, direction, { rules: items });
      return { schema: { type: "array", items: schema }, words: words.map((word) => `Each: ${word}`) };
    }
    if (field.fieldKind !== "map") return this.#value(field, direction, { rules, without });
    const { keys, values } = rules?.type.case === "map" ? rules.type.value : {};
    const { schema, words } = this.#value(field, direction, { rules: values });
    const propertyNames = { ...keySchema(field.mapKey), ...keyKeywords(keys) };
    const named = Object.keys(propertyNames).length > 0;
    return { schema: { type: "object", additionalProperties: schema, ...(named && { propertyNames }) }, words };
  }

  #value(field: DescField, direction: Direction, { rules, without = [] }: ValueOptions): Shaped {
    const { keywords, words } = valueRules(rules, { direction, enumOf: field.enum });
    const schema = this.#plain(field, direction, without);
    const base =
      mustBeNumber(rules, keywords) && Array.isArray(schema.anyOf) ? (schema.anyOf[0] as JsonObject) : schema;
    return { schema: { ...base, ...keywords }, words };
  }

  #plain(field: DescField, direction: Direction, without: readonly Path[]): JsonObject {
    if (field.enum !== undefined) return this.#enum(field.enum);
    if (field.message === undefined) return scalarSchema(field.scalar, direction);
    return without.length > 0 ? this.messageWithout(field.message, without) : this.message(field.message, direction);
  }

  #enum(desc: DescEnum): JsonObject {
    if (desc.typeName === "google.protobuf.NullValue") return { type: "null" };
    if (!this.#enums.has(desc)) this.#enums.set(desc, enumSchema(desc, this.#json.enumAsInteger === true));
    return { $ref: `#/components/schemas/${desc.typeName}` };
  }

  #choice({ oneof }: DescField): readonly string[] {
    if (oneof === undefined || oneof.fields.length < 2) return [];
    return [`At most one of ${oneof.fields.map((each) => `\`${this.nameOf(each)}\``).join(", ")} is set.`];
  }
}

interface Shaped {
  readonly schema: JsonObject;
  readonly words: readonly string[];
}

interface ValueOptions {
  readonly rules: ReturnType<typeof rulesOf>;
  readonly without?: readonly Path[];
}

const inputSuffix = "-Input";

function placeholder({ typeName }: DescMessage, direction: Direction): string {
  return `${direction}:${typeName}`;
}

/** Keys of a JSON object are text, whatever the map's are. */
function keySchema(key: ScalarType): JsonObject {
  if (key === ScalarType.STRING) return {};
  if (key === ScalarType.BOOL) return { enum: ["true", "false"] };
  const unsigned = scalarSchema(key, "output").minimum === 0 || scalarSchema(key, "output").pattern === "^[0-9]+$";
  return { pattern: unsigned ? "^[0-9]+$" : "^-?[0-9]+$" };
}

/** Whether NaN and the infinities are out: any bound on a number excludes NaN, and `finite` all three. */
function mustBeNumber(rules: ValueOptions["rules"], keywords: JsonObject): boolean {
  const type = rules?.type;
  return (type?.case === "float" || type?.case === "double") && (type.value.finite || Object.keys(keywords).length > 0);
}
