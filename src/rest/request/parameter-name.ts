import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation, isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { fieldNamed, isFieldMask, isTextMessage } from "../fields.ts";
import { badField } from "../refusal.ts";

/** One step of a query parameter's name: a field, in the caller's spelling, and the key of the entry if it is a map. */
export interface ParameterStep {
  readonly field: DescField;
  readonly key: string;
  readonly mapKey: string | undefined;
  /** Whether a piece of text can be the value of it. */
  readonly isTextual: boolean;
}

/** As for JSON: nobody nests messages this deep, and reading them costs stack. */
const maxDepth = 100;

/** A field's name, and a key in brackets; the key ends at the first bracket that a dot or the name's end follows. */
const stepPattern = /([^.[\]]+)(?:\[(.*?)\])?(?=\.|$)/sy;

/**
 * The fields that a query parameter leads through, outermost first: "order.items_by_sku[a.b].qty". The fields below a
 * wrapper and a field mask, `value` and `paths`, are those themselves. `undefined` if there is no such field.
 */
export function parameterSteps(desc: DescMessage, name: string): readonly ParameterStep[] | undefined {
  const steps: ParameterStep[] = [];
  let inside: DescMessage | undefined = desc;
  for (let at = 0; at <= name.length; at = stepPattern.lastIndex + 1) {
    stepPattern.lastIndex = at;
    const [, key, mapKey] = stepPattern.exec(name) ?? [];
    if (key === undefined) return undefined;
    if (steps.length >= maxDepth) throw badField(`${name.slice(0, maxDepth)}…`, `is nested deeper than ${maxDepth}`);
    const field: DescField | undefined = inside && fieldNamed(inside, key);
    if (field === undefined)
      return isItself(steps.at(-1), key, name.length - stepPattern.lastIndex) ? steps : undefined;
    steps.push({ field, key, mapKey, isTextual: isTextual(field, mapKey) });
    inside = messageBelow(field, mapKey);
  }
  return steps;
}

/** Whether the last part of a name is that of a text's own field: "update_mask.paths", "nick_name.value". */
function isItself(step: ParameterStep | undefined, key: string, left: number): boolean {
  if (step?.field.message === undefined || left > 0) return false;
  return isFieldMask(step.field) ? key === "paths" : key === "value" && isWrapperDesc(step.field.message);
}

function isTextual(field: DescField, mapKey: string | undefined): boolean {
  if (field.fieldKind === "map" ? mapKey === undefined || mapKey === "__proto__" : mapKey !== undefined) return false;
  return field.message === undefined || isTextMessage(field.message);
}

function messageBelow(field: DescField, mapKey: string | undefined): DescMessage | undefined {
  const isOne = field.fieldKind === "message" ? mapKey === undefined : field.fieldKind === "map";
  if (!isOne || field.message === undefined || hasCustomJsonRepresentation(field.message)) return undefined;
  return mapKey === "__proto__" || (field.fieldKind === "map" && mapKey === undefined) ? undefined : field.message;
}
