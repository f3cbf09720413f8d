import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { RawMessage } from "../../call/raw-message.ts";
import { unusual, WireCursor, WireType } from "../json/wire-cursor.ts";
import type { Binding, BoundVariable, LocationRule } from "../routes/binding.ts";
import { fillTemplate } from "../routes/template.ts";
import { decoded, fieldValue } from "./response.ts";

/** Says where the created resource is; `undefined` when the response lacks what the path needs. */
export type LocationReader = (message: Message) => string | undefined;

/**
 * Plans how a binding finds where a created resource is; `undefined` for one that creates none. Of a raw response it
 * reads the few fields of the path from the bytes, so that the whole is not decoded for the name of what was created.
 */
export function locationReader({ created, method }: Binding): LocationReader | undefined {
  if (created === undefined) return undefined;
  const inBytes = created.variables.every(isPlain) ? created.variables : undefined;
  return (message) => {
    if (!(message instanceof RawMessage)) return locationOf(created, (variable) => textAt(message, variable.fields));
    const found = inBytes && readAll(created, message.bytes);
    if (found !== undefined) return found.location;
    return readDecoded(created, method.output, message.bytes);
  };
}

function readDecoded(rule: LocationRule, desc: DescMessage, bytes: Uint8Array): string | undefined {
  const message = decoded(desc, bytes);
  return locationOf(rule, (variable) => textAt(message, variable.fields));
}

function locationOf(
  { template, variables }: LocationRule,
  text: (variable: BoundVariable) => string,
): string | undefined {
  const values = new Map<string, string>();
  for (const variable of variables) {
    const value = text(variable);
    if (value === "") return undefined;
    values.set(variable.path, value);
  }
  return fillTemplate(template, ({ path }) => values.get(path) ?? "");
}

function textAt(message: Message, fields: readonly DescField[]): string {
  let at: unknown = message;
  for (const field of fields) at = at === undefined ? undefined : fieldValue(at as Record<string, unknown>, field);
  return at === undefined ? "" : String(at);
}

// ---- from bytes ----

/** Whether a variable is text within messages: what can be found without knowing anything of the other fields. */
function isPlain({ fields }: BoundVariable): boolean {
  return fields.every((field, at) => {
    if (field.oneof !== undefined || ("delimitedEncoding" in field && field.delimitedEncoding)) return false;
    if (at < fields.length - 1) return field.fieldKind === "message";
    return field.fieldKind === "scalar" && field.scalar === ScalarType.STRING;
  });
}

/** `undefined` where the bytes are not as encoders usually write them: that is for who decodes them to say. */
function readAll(rule: LocationRule, bytes: Uint8Array): { readonly location: string | undefined } | undefined {
  try {
    return { location: locationOf(rule, ({ fields }) => textIn(new WireCursor(bytes), bytes.length, fields)) };
  } catch (reason) {
    if (reason === unusual || reason instanceof RangeError) return undefined;
    throw reason;
  }
}

/** The text that the fields lead to, within what ends at `end`; "" where there is none. */
function textIn(cursor: WireCursor, end: number, [field, ...inner]: readonly DescField[]): string {
  let found: string | undefined;
  while (cursor.at < end) {
    const tag = cursor.varintUpTo(0xffff_ffff);
    if (tag >>> 3 === 0) throw unusual;
    if (tag >>> 3 !== field?.number) cursor.skip(tag & 7, end);
    else {
      if ((tag & 7) !== WireType.bytes || found !== undefined) throw unusual; // two pieces are one message
      const last = cursor.endOfBytes(end);
      found = inner.length === 0 ? cursor.text(last) : textIn(cursor, last, inner);
    }
  }
  if (cursor.at !== end) throw unusual;
  return found ?? "";
}
