import { ScalarType } from "@bufbuild/protobuf";
import { quoted } from "./scalar.ts";
import { unusual, type WireCursor, WireType } from "./wire-cursor.ts";

/** Reads one value as JSON text; the value ends at `end`, or before. */
export type ReadText = (cursor: WireCursor, end: number) => string;

/** How values of a type lie on the wire, and what one that is not there is as JSON. */
export interface WireScalar {
  readonly wireType: number;
  readonly read: ReadText;
  readonly zero: string;
}

/** The plan of a scalar type. With `hasNumbers`, 64-bit integers are numbers while those are exact. */
export function wireScalar(scalar: ScalarType, hasNumbers: boolean): WireScalar {
  const long = (value: number | bigint) =>
    hasNumbers && Number.isSafeInteger(Number(value)) ? String(value) : `"${value}"`;
  switch (scalar) {
    case ScalarType.STRING:
      return { ...ofBytes, read: (cursor, end) => quoted(cursor.text(cursor.endOfBytes(end))) };
    case ScalarType.BYTES:
      return { ...ofBytes, read: (cursor, end) => base64(cursor, cursor.endOfBytes(end)) };
    case ScalarType.BOOL:
      return { ...ofVarint, zero: "false", read: (cursor) => (cursor.varintUpTo(1) === 1 ? "true" : "false") };
    case ScalarType.INT32:
      return { ...ofVarint, read: (cursor) => String(cursor.varintUpTo(0x7fff_ffff)) };
    case ScalarType.UINT32:
      return { ...ofVarint, read: (cursor) => String(cursor.varintUpTo(0xffff_ffff)) };
    case ScalarType.SINT32:
      return { ...ofVarint, read: (cursor) => String(zigzag(cursor.varintUpTo(0xffff_ffff))) };
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return { ...ofVarint, zero: long(0), read: (cursor) => long(cursor.varint()) };
    case ScalarType.SINT64:
      return { ...ofVarint, zero: long(0), read: (cursor) => long(zigzag(cursor.varint())) };
    case ScalarType.FIXED32:
      return { ...of32, read: (cursor, end) => String(cursor.bytes.readUInt32LE(cursor.take(4, end))) };
    case ScalarType.SFIXED32:
      return { ...of32, read: (cursor, end) => String(cursor.bytes.readInt32LE(cursor.take(4, end))) };
    case ScalarType.FLOAT:
      return { ...of32, read: (cursor, end) => decimal(cursor.bytes.readFloatLE(cursor.take(4, end))) };
    case ScalarType.DOUBLE:
      return { ...of64, read: (cursor, end) => decimal(cursor.bytes.readDoubleLE(cursor.take(8, end))) };
    case ScalarType.FIXED64:
      return { ...of64, zero: long(0), read: (cursor, end) => long(cursor.bytes.readBigUInt64LE(cursor.take(8, end))) };
    case ScalarType.SFIXED64:
      return { ...of64, zero: long(0), read: (cursor, end) => long(cursor.bytes.readBigInt64LE(cursor.take(8, end))) };
    default:
      throw unusual;
  }
}

const ofVarint = { wireType: WireType.varint, zero: "0" } as const;
const ofBytes = { wireType: WireType.bytes, zero: '""' } as const;
const of32 = { wireType: WireType.bits32, zero: "0" } as const;
const of64 = { wireType: WireType.bits64, zero: "0" } as const;

function zigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function decimal(value: number): string {
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

function base64(cursor: WireCursor, end: number): string {
  const text = cursor.bytes.toString("base64", cursor.at, end);
  cursor.at = end;
  return `"${text}"`;
}
