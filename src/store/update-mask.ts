import type { FieldMask } from "@bufbuild/protobuf/wkt";
import type { FieldViolation } from "../call/errors.ts";
import { invalidArgument } from "../call/errors.ts";

/** What an Update may change of a resource. */
export interface Changeable<Field extends string> {
  /** The request's field that carries the new values: "user". */
  readonly resource: string;
  /** Proto names of the fields that may change. */
  readonly fields: readonly Field[];
  /** Those that may not be emptied. */
  readonly required: readonly Field[];
  /** Proto names of what is not the caller's to change but belongs to the resource: a mask may name it, to no effect (AIP-203). */
  readonly ignored: readonly string[];
  /** Whether the request fills the field. */
  filled(field: Field): boolean;
}

/**
 * The fields that an Update names; without a mask, those that it fills. Refuses what does not exist, and what
 * would be emptied though it may not be, all at once.
 */
export function fieldsToChange<Field extends string>(
  mask: FieldMask | undefined,
  changeable: Changeable<Field>,
): readonly Field[] {
  const { resource, fields, required, ignored, filled } = changeable;
  if (mask === undefined || mask.paths.length === 0) return fields.filter((field) => filled(field));
  const named = fields.filter((field) => mask.paths.includes(field));
  const violations: FieldViolation[] = [
    ...mask.paths
      .filter((path) => !named.includes(path as Field) && !ignored.includes(path))
      .map((path) => unchangeable(path, fields)),
    ...named
      .filter((field) => required.includes(field) && !filled(field))
      .map((field) => ({
        field: `${resource}.${field}`,
        description: "is named by update_mask and must not be empty",
      })),
  ];
  if (violations.length > 0) throw invalidArgument(violations);
  return named;
}

function unchangeable(path: string, fields: readonly string[]): FieldViolation {
  return { field: "update_mask", description: `names "${path}"; what may change is ${fields.join(", ")}` };
}
