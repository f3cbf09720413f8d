import { ScalarType } from "@bufbuild/protobuf";

/** Writes values of a scalar type. With `hasNumbers`, 64-bit integers are numbers while those are exact. */
export function scalarText(scalar: ScalarType, hasNumbers: boolean): (value: unknown) => string {
  switch (scalar) {
    case ScalarType.STRING:
      return quoted as (value: unknown) => string;
    case ScalarType.BOOL:
      return (value) => (value === true ? "true" : "false");
    case ScalarType.BYTES:
      return (value) => `"${base64(value as Uint8Array)}"`;
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return (value) => (Number.isFinite(value) ? String(value) : `"${String(value)}"`);
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return hasNumbers ? exactNumber : (value) => `"${String(value)}"`;
    default:
      return String;
  }
}

/** A string as JSON. */
export function quoted(text: string): string {
  return harmless.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Nothing in it to be escaped. */
const harmless = /^[ !#-[\]-~]*$/;

function exactNumber(value: unknown): string {
  return Number.isSafeInteger(Number(value)) ? String(value) : `"${String(value)}"`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
