import { type DescField, type DescMessage, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { isTextual } from "../fields.ts";
import type { Binding } from "../routes/binding.ts";
import { described } from "./described.ts";
import { type DocumentedPath, jsonPath, type PathBlank } from "./paths.ts";
import type { Schemas } from "./schemas.ts";

/** More than these nobody looks through; messages deeper than this are given in bodies. */
const maxDepth = 4;

/** The text of a path or a query has one way of writing a number, as answers have. */
const asText = "output";

/** The blanks of a path, as parameters. */
export function pathParameters({ blanks }: DocumentedPath, schemas: Schemas): JsonObject[] {
  return blanks.map((blank) => ({
    name: blank.name,
    in: "path",
    required: true,
    ...blankAbout(blank, schemas),
  }));
}

function blankAbout({ field, partOf, rest }: PathBlank, schemas: Schemas): JsonObject {
  if (field !== undefined && !rest) return split(schemas.field(field, asText));
  const whole = partOf === undefined ? undefined : `\`${jsonPath(partOf.fields)}\``;
  const many = rest ? "Any number of segments, with slashes between them that are not escaped." : "";
  const about = field === undefined ? "" : String(schemas.field(field, asText).description ?? "");
  return {
    ...described([about, whole === undefined ? "" : `A part of ${whole}.`, many]),
    schema: { type: "string", ...(!rest && { minLength: 1 }) },
  };
}

/** What of the request message may come in the query string: everything but what path and body give. */
export function queryParameters(binding: Binding, schemas: Schemas): JsonObject[] {
  const { body } = binding;
  if (body.kind === "all" || (body.kind === "raw" && body.field === undefined)) return [];
  return below(binding.method.input, [], { binding, schemas });
}

interface Walk {
  readonly binding: Binding;
  readonly schemas: Schemas;
}

function below(desc: DescMessage, above: readonly DescField[], walk: Walk): JsonObject[] {
  return desc.fields.flatMap((field) => {
    const fields = [...above, field];
    if (isGiven(fields, walk.binding)) return [];
    if (isTextual(field)) return [parameter(fields, walk)];
    if (field.fieldKind === "map") return isTextualMap(field) ? [parameter(fields, walk)] : [];
    const isCircle = field.message === desc || above.some(({ parent }) => parent === field.message);
    if (field.fieldKind !== "message" || isCircle || fields.length > maxDepth || isOpaque(field.message)) return [];
    return below(field.message, fields, walk);
  });
}

function isGiven(fields: readonly DescField[], { body, variables }: Binding): boolean {
  if ("field" in body && body.field === fields[0]) return true;
  return variables.some(
    (variable) => variable.fields.length === fields.length && variable.fields.every((field, i) => field === fields[i]),
  );
}

/** JSON of no fixed shape: there is no writing it as text. */
function isOpaque(desc: DescMessage): boolean {
  return desc.typeName.startsWith("google.protobuf.");
}

function isTextualMap(field: DescField & { fieldKind: "map" }): boolean {
  return field.mapKind !== "message" || isWrapperDesc(field.message);
}

function parameter(fields: readonly DescField[], { binding, schemas }: Walk): JsonObject {
  const field = fields.at(-1) as DescField;
  const mandatory = fields.length === 1 && schemas.mandatory(binding.method.input).has(field);
  const filled = binding.mask === field && fields.length === 1 ? "If unset, the fields that the body names." : "";
  const { description = "", ...about } = split(schemas.field(field, asText));
  return {
    name: jsonPath(fields),
    in: "query",
    ...(mandatory && { required: true }),
    ...described([String(description), filled]),
    ...about,
    ...(field.fieldKind === "list" && { style: "form", explode: true }),
    ...(field.fieldKind === "map" && { style: "deepObject", explode: true }),
    ...(field.fieldKind === "scalar" && field.scalar === ScalarType.BOOL && { allowEmptyValue: true }),
  };
}

/** A field's schema as a parameter has it: description and deprecation beside the schema, null nowhere. */
function split(schema: JsonObject): JsonObject {
  const { description, deprecated, ...rest } = schema;
  return {
    ...(description !== undefined && { description }),
    ...(deprecated !== undefined && { deprecated }),
    schema: Array.isArray(rest.type) ? { ...rest, type: withoutNull(rest.type as string[]) } : rest,
  };
}

function withoutNull(types: readonly string[]): string | string[] {
  const kept = types.filter((type) => type !== "null");
  return kept.length === 1 && kept[0] !== undefined ? kept[0] : kept;
}
