import { create, type DescField, type DescMessage, type JsonValue, type Message } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import { type FieldMask, FieldMaskSchema, hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { fieldNamed, isTree, type JsonTree } from "../fields.ts";
import type { Binding } from "../routes/binding.ts";

/**
 * Settles which fields a PATCH changes: those of the mask it gives, in the contract's spelling; without one, those its
 * body names, also those it sets back to nothing.
 *
 * A message in the body counts by the fields below it, so that one of them can be changed without losing the others, as
 * RFC 7396 merges; lists, maps and an empty message are changed as a whole. What the path names is never changed.
 */
export function settleMask(message: Message, binding: Binding, body: JsonValue | undefined): void {
  const { mask, body: rule, variables } = binding;
  const resource = rule.kind === "field" ? rule.field.message : undefined;
  if (mask === undefined || resource === undefined) return;
  const holder = message as Message & Record<string, FieldMask | undefined>;
  const given = holder[mask.localName];
  if (given !== undefined) {
    given.paths = given.paths.map((path) => protoPath(resource, path));
  } else if (isTree(body)) {
    const inPath = variables.map(({ fields }) => fields.slice(1));
    const paths = leafPaths(resource, body, { above: [], inPath });
    if (paths.length > 0) holder[mask.localName] = create(FieldMaskSchema, { paths });
  }
}

interface Place {
  readonly above: readonly DescField[];
  readonly inPath: readonly (readonly DescField[])[];
}

function leafPaths(desc: DescMessage, tree: JsonTree, { above, inPath }: Place): string[] {
  return Object.keys(tree).flatMap((key) => {
    const field = fieldNamed(desc, key);
    if (field === undefined) return [];
    const along = [...above, field];
    if (inPath.some((fields) => fields.length === along.length && fields.every((each, i) => each === along[i])))
      return [];
    const inner = tree[key];
    return isOpen(field) && isTree(inner) && Object.keys(inner).length > 0
      ? leafPaths(field.message, inner, { above: along, inPath })
      : [along.map(({ name }) => name).join(".")];
  });
}

/** Whether a mask may name fields below this one. */
function isOpen(field: DescField): field is DescField & { fieldKind: "message" } {
  return field.fieldKind === "message" && !hasCustomJsonRepresentation(field.message);
}

/** JSON has masks in camelCase, from which "line_1" comes back as "line1": the contract knows which field is meant. */
function protoPath(resource: DescMessage, path: string): string {
  let at: DescMessage | undefined = resource;
  const names = path.split(".").map((name) => {
    const field: DescField | undefined = at && (fieldNamed(at, name) ?? fieldNamed(at, protoCamelCase(name)));
    at = field !== undefined && isOpen(field) ? field.message : undefined;
    return field?.name ?? name;
  });
  return names.join(".");
}
