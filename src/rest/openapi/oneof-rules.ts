import { type DescField, type DescMessage, getOption, hasOption, type JsonObject } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { oneof as oneofOption } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { messageRulesOf } from "./field-rules.ts";
import { zeroOf } from "./value-schema.ts";

/** Fields of which at most one may be set, or exactly one. */
interface Choice {
  readonly among: readonly DescField[];
  readonly required: boolean;
}

/** Keywords that keep a message from holding two members of a oneof, and from holding none where one is asked for. */
export function exclusions(
  desc: DescMessage,
  fields: readonly DescField[],
  nameOf: (field: DescField) => string,
): JsonObject {
  const areSet = (them: readonly DescField[]) => allSet(them, nameOf);
  const choices = [...ofOneofs(desc, fields), ...ofRules(desc, fields)];
  const pairs = choices.flatMap(({ among }) => among.flatMap((a, i) => among.slice(i + 1).map((b) => [a, b])));
  const asked = choices.filter(({ required }) => required);
  return {
    ...(pairs.length > 0 && { not: { anyOf: pairs.map(areSet) } }),
    ...(asked.length > 0 && {
      allOf: asked.map(({ among }) => ({ anyOf: among.map((field) => areSet([field])) })),
    }),
  };
}

/** Fits what has all of the fields. One without presence is written always, and counts where it is not zero. */
function allSet(fields: readonly DescField[], nameOf: (field: DescField) => string): JsonObject {
  const implicit = fields.filter(({ presence }) => presence === Presence.IMPLICIT);
  const properties = implicit.map((field) => [nameOf(field), { not: { const: zeroOf(field) } }] as const);
  return {
    required: fields.map(nameOf),
    ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
  };
}

function ofOneofs(desc: DescMessage, fields: readonly DescField[]): Choice[] {
  return desc.oneofs.map((oneof) => ({
    among: fields.filter((field) => field.oneof === oneof),
    required: hasOption(oneof, oneofOption) && getOption(oneof, oneofOption).required,
  }));
}

/** A oneof that the rules make of fields which are none for Protobuf. */
function ofRules(desc: DescMessage, fields: readonly DescField[]): Choice[] {
  return messageRulesOf(desc).oneof.map(({ fields: names, required }) => ({
    among: fields.filter(({ name }) => names.includes(name)),
    required,
  }));
}
