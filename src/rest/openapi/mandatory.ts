import { create, type DescField, type DescMessage } from "@bufbuild/protobuf";
import type { Validator } from "@bufbuild/protovalidate";
import { rulesOf } from "./field-rules.ts";

const known = new WeakMap<DescMessage, ReadonlySet<DescField>>();

/**
 * The fields that a request cannot go without: those that break a rule of the message when nothing is set. Asked of the
 * validator itself, so that no rule is forgotten, and once per message: planning its rules is the dear part of a document.
 * The validator lives no longer than that: it keeps every message it has seen.
 */
export function mandatoryFields(desc: DescMessage, validator: () => Validator): ReadonlySet<DescField> {
  const before = known.get(desc);
  if (before !== undefined) return before;
  const fields = new Set(desc.fields.some((field) => rulesOf(field) !== undefined) ? broken(desc, validator()) : []);
  known.set(desc, fields);
  return fields;
}

function broken(desc: DescMessage, validator: Validator): readonly DescField[] {
  const { violations = [] } = validator.validate(desc, create(desc));
  return violations.flatMap(({ field: [first, second] }) =>
    first?.kind === "field" && second === undefined ? [first] : [],
  );
}
