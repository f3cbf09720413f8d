import { type DescField, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";

const integerPattern = /^-?[0-9]{1,20}$/;
const numberPattern = /^(?:-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|NaN|-?Infinity)$/;

/**
 * One value of a field as JSON, from the text of a path or a query string. What does not fit stays text, so that
 * reading the message refuses it by name.
 */
export function textToJson(field: DescField, text: string): JsonValue {
  if (field.enum !== undefined) return integerPattern.test(text) ? Number(text) : text;
  if (field.scalar !== undefined) return scalarToJson(field.scalar, text);
  if (field.message !== undefined && isWrapperDesc(field.message))
    return scalarToJson(field.message.fields[0].scalar, text);
  return text;
}

function scalarToJson(scalar: ScalarType, text: string): JsonValue {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return text;
    case ScalarType.BOOL:
      return booleans.get(text.toLowerCase()) ?? text;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return numberPattern.test(text) ? text : `not a number: ${text}`;
    default:
      return integerPattern.test(text) ? text : `not an integer: ${text}`;
  }
}

/** A bare `?passing` means yes, as in Consul's API; `1` and `True` are what its clients send. */
const booleans = new Map([
  ["true", true],
  ["1", true],
  ["", true],
  ["false", false],
  ["0", false],
]);
