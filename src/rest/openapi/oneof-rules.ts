import { type DescField, type DescMessage, getOption, hasOption, type JsonObject } from "@bufbuild/protobuf";
import { oneof as oneofOption } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { messageRulesOf } from "./field-rules.ts";

/** Fields of which at most one may be set, or exactly one. */
interface Choice {
  readonly names: readonly string[];
  readonly required: boolean;
}

/** Keywords that keep a message from holding two members of a oneof, and from holding none where one is asked for. */
export function exclusions(desc: DescMessage, fields: readonly DescField[]): JsonObject {
  const choices = [...ofOneofs(desc, fields), ...ofRules(desc, fields)];
  const pairs = choices.flatMap(({ names }) => names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b])));
  const asked = choices.filter(({ required }) => required);
  return {
    ...(pairs.length > 0 && { not: { anyOf: pairs.map((required) => ({ required })) } }),
    ...(asked.length > 0 && {
      allOf: asked.map(({ names }) => ({ anyOf: names.map((name) => ({ required: [name] })) })),
    }),
  };
}

function ofOneofs(desc: DescMessage, fields: readonly DescField[]): Choice[] {
  return desc.oneofs.map((oneof) => ({
    names: fields.filter((field) => field.oneof === oneof).map(({ jsonName }) => jsonName),
    required: hasOption(oneof, oneofOption) && getOption(oneof, oneofOption).required,
  }));
}

/** A oneof that the rules make of fields which are none for Protobuf. */
function ofRules(desc: DescMessage, fields: readonly DescField[]): Choice[] {
  return messageRulesOf(desc).oneof.map(({ fields: names, required }) => ({
    names: fields.filter(({ name }) => names.includes(name)).map(({ jsonName }) => jsonName),
    required,
  }));
}
