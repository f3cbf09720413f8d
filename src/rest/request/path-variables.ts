import { create, type DescField, type Message, ScalarType } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import { rawMessage } from "../../call/raw-message.ts";
import { badField } from "../refusal.ts";
import type { Binding, BoundVariable } from "../routes/binding.ts";
import type { Variable } from "../routes/template.ts";

/** Makes a request message of the path's raw segments alone. */
export type PathReader = (segments: readonly string[]) => Message;

/**
 * Plans how requests are read that consist of nothing but texts in their path, as `GET /v1/orders/{id}` does: these are
 * put into the message as they are, which is less work than going through JSON. `undefined` for bindings that may be told
 * more, or anything but text; a query is for the usual reader in any case.
 */
export function pathReader({ method, body, variables, mask }: Binding): PathReader | undefined {
  const isPath = body.kind === "none" && mask === undefined && variables.every(({ fields }) => isOwnText(fields));
  const names = new Set(variables.map(({ fields }) => fields[0]?.localName));
  if (!isPath || names.size < variables.length) return undefined;
  return (segments) => {
    const message = create(method.input) as Message & Record<string, unknown>;
    for (const variable of variables) message[variable.fields[0]?.localName ?? ""] = variableText(variable, segments);
    return message;
  };
}

/** Makes the bytes of a request message of the path's raw segments alone. */
export type PathEncoder = (segments: readonly string[]) => Message;

/**
 * The same for who sends requests on as bytes, where no message has to be made first.
 */
export function pathEncoder(binding: Binding): PathEncoder | undefined {
  if (pathReader(binding) === undefined) return undefined;
  const fields = binding.variables.map((variable) => ({ variable, ...encodingOf(variable) }));
  return (segments) => {
    if (fields.length === 1 && fields[0] !== undefined) return rawMessage(encoded(fields[0], segments));
    return rawMessage(Buffer.concat(fields.map((field) => encoded(field, segments))));
  };
}

interface EncodedVariable {
  readonly variable: BoundVariable;
  /** What stands before its length. */
  readonly tag: Uint8Array;
  /** Whether it is there even if it is empty. */
  readonly isTold: boolean;
}

function encodingOf({ fields: [field] }: BoundVariable): Omit<EncodedVariable, "variable"> {
  const tag = new BinaryWriter().tag(field?.number ?? 1, WireType.LengthDelimited).finish();
  return { tag, isTold: field?.presence !== Presence.IMPLICIT };
}

function encoded({ variable, tag, isTold }: EncodedVariable, segments: readonly string[]): Uint8Array {
  const text = variableText(variable, segments);
  if (text === "" && !isTold) return nothing;
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(tag.length + maxLengthBytes + length);
  bytes.set(tag);
  const start = putLength(bytes, tag.length, length);
  return bytes.subarray(0, start + bytes.write(text, start));
}

const nothing = new Uint8Array();
/** A varint of 32 bits takes no more. */
const maxLengthBytes = 5;

/** Writes a varint, and answers where it ends. */
function putLength(bytes: Uint8Array, start: number, length: number): number {
  let [at, rest] = [start, length];
  for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
  bytes[at++] = rest;
  return at;
}

/** Whether the variable is a text of the request itself, and not one of several of which it has one. */
function isOwnText([field, ...inner]: readonly DescField[]): boolean {
  if (field === undefined || inner.length > 0 || field.oneof !== undefined) return false;
  return field.fieldKind === "scalar" && field.scalar === ScalarType.STRING;
}

/** Decoded text of a variable. In one that spans segments an escaped slash stays escaped, as google.api.http asks. */
export function variableText({ start, end, multi, path }: Variable, segments: readonly string[]): string {
  try {
    if (!multi) return decoded(segments[start] ?? "");
    return segments.slice(start, end).map(decodeKeepingSlash).join("/");
  } catch {
    throw badField(path, "has a bad percent escape in the path");
  }
}

function decodeKeepingSlash(segment: string): string {
  return segment
    .split(/(%2f)/i)
    .map((part, i) => (i % 2 === 1 ? part : decodeURIComponent(part)))
    .join("");
}

/** Most segments have nothing escaped. */
function decoded(segment: string): string {
  return segment.includes("%") ? decodeURIComponent(segment) : segment;
}
