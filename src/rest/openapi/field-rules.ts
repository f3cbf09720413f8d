import {
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  isFieldSet,
  type JsonObject,
} from "@bufbuild/protobuf";
import {
  type EnumRules,
  EnumRulesSchema,
  type FieldRules,
  field as fieldOption,
  Ignore,
  message as messageOption,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { longRules, type NumberRules, numberRules } from "./number-rules.ts";
import { listKeywords, type Ruled, unruled } from "./rule-words.ts";
import { bytesRules, stringRules } from "./text-rules.ts";
import { durationWords, timestampWords } from "./time-rules.ts";
import type { Direction } from "./value-schema.ts";

/** The rules that protovalidate holds a field to; `undefined` for none. */
export function rulesOf(field: DescField): FieldRules | undefined {
  if (!hasOption(field, fieldOption)) return undefined;
  const rules = getOption(field, fieldOption);
  return rules.ignore === Ignore.ALWAYS ? undefined : rules;
}

/** Whether the rules let a field be zero whatever else they say. */
export function zeroPasses(rules: FieldRules | undefined): boolean {
  return rules?.ignore === Ignore.IF_ZERO_VALUE;
}

/** What the rules say of one value: of the field, of an item of a list, of a key or a value of a map. */
export function valueRules(
  rules: FieldRules | undefined,
  { direction, enumOf }: { readonly direction: Direction; readonly enumOf: DescEnum | undefined },
): Ruled {
  const type = rules?.type;
  switch (type?.case) {
    case undefined:
      return unruled;
    case "string":
      return stringRules(type.value);
    case "bytes":
      return bytesRules(type.value);
    case "enum":
      return enumRules(type.value, enumOf);
    case "bool":
      return { keywords: { const: type.value.const }, words: [] };
    case "int64":
    case "uint64":
    case "sint64":
    case "fixed64":
    case "sfixed64":
      return longRules(type.value as NumberRules, hasConst(type.value), direction);
    case "int32":
    case "uint32":
    case "sint32":
    case "fixed32":
    case "sfixed32":
    case "float":
    case "double":
      return numberRules(type.value as NumberRules, hasConst(type.value));
    case "timestamp":
      return { keywords: {}, words: timestampWords(type.value) };
    case "duration":
      return { keywords: {}, words: durationWords(type.value) };
    case "any":
      return { keywords: { properties: { "@type": listKeywords(type.value.in, type.value.notIn) } }, words: [] };
    case "fieldMask":
      return { keywords: {}, words: type.value.in.length > 0 ? [`Of ${type.value.in.map(code).join(", ")}.`] : [] };
    case "repeated":
    case "map":
      return unruled;
  }
}

/** What the rules say of the keys of a map: they are text in JSON, so a number's bounds are a pattern. */
export function keyKeywords(rules: FieldRules | undefined): JsonObject {
  const type = rules?.type;
  if (type?.case === undefined || type.case === "bool") return {};
  if (type.case === "string") return stringRules(type.value).keywords;
  return longRules(type.value as NumberRules, hasConst(type.value), "output").keywords;
}

/** What the rules say of a list or a map as a whole. */
export function collectionKeywords(rules: FieldRules | undefined): JsonObject {
  const type = rules?.type;
  if (type?.case === "repeated") {
    const { value } = type;
    return { ...counted(value.minItems, value.maxItems, "Items"), ...(value.unique && { uniqueItems: true }) };
  }
  return type?.case === "map" ? counted(type.value.minPairs, type.value.maxPairs, "Properties") : {};
}

/** The rules in CEL, of a field or of a message, in words: nothing else can be made of them. */
export function celWords(rules: Pick<FieldRules, "cel" | "celExpression"> | undefined): readonly string[] {
  if (rules === undefined) return [];
  return [
    ...rules.cel.map(({ id, message, expression }) => `Rule ${code(id)}: ${message || code(expression)}.`),
    ...rules.celExpression.map((expression) => `Rule: ${code(expression)}.`),
  ];
}

/** The rules of a message as a whole. */
export function messageRulesOf(desc: DescMessage) {
  return getOption(desc, messageOption);
}

function enumRules(rules: EnumRules, desc: DescEnum | undefined): Ruled {
  const named = (number: number) => desc?.value[number]?.jsonName ?? number;
  const isConst = isFieldSet(rules, EnumRulesSchema.field.const);
  const keywords = {
    ...(isConst && { const: named(rules.const) }),
    ...listKeywords(rules.in.map(named), rules.notIn.map(named)),
  };
  return { keywords, words: [] };
}

/** Explicit presence: what was never set stands on the prototype alone. */
function hasConst(rules: object): boolean {
  return Object.hasOwn(rules, "const");
}

function counted(min: bigint, max: bigint, of: string): JsonObject {
  return { ...(min > 0n && { [`min${of}`]: Number(min) }), ...(max > 0n && { [`max${of}`]: Number(max) }) };
}

function code(text: string): string {
  return `\`${text}\``;
}
