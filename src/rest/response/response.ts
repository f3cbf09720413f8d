import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  type JsonValue,
  type Message,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { messageOf } from "../../base/message-of.ts";
import { RawMessage } from "../../call/raw-message.ts";
import { isTree, snakeName } from "../fields.ts";
import { enumNames } from "../json/enum-names.ts";
import { needsTree } from "../json/plan.ts";
import { type JsonStyle, plainStyle } from "../json/style.ts";
import { JsonText, type TextRules } from "../json/text.ts";
import { type BytesWriter, WireText } from "../json/wire-text.ts";
import { type RawBody, rawBodyOf } from "../raw/http-body.ts";
import type { Binding } from "../routes/binding.ts";

/** Writes a response message as JSON text; a raw one as well, whose bytes are decoded only where they have to be. */
export type ResponseWriter = (message: Message) => string;

/** Takes the body out of a response message. */
export type RawReader = (message: Message) => RawBody;

/** How protojson is written; paths under `/api` speak their own plain JSON, of which only the last is true. */
export interface JsonOutput {
  /** Enums as their numbers. Default false: as their names. */
  readonly enumAsInteger?: boolean;
  /** Fields as the contract spells them, in snake_case. Default false: in lowerCamelCase. */
  readonly useProtoFieldName?: boolean;
  /** Fields with default values are written too, so that a caller sees every field there is. Default true. */
  readonly alwaysEmitImplicit?: boolean;
}

/** Plans how a binding's responses are written: the whole message, or the one field that `response_body` names. */
export function responseWriter(
  { method, responseBody }: Pick<Binding, "method" | "responseBody">,
  style: JsonStyle,
  { registry, alwaysEmitImplicit = true, ...protojson }: JsonOutput & { readonly registry: Registry },
): ResponseWriter {
  const plain = style === "plain";
  const options = { alwaysEmitImplicit, registry, ...(plain ? {} : protojson) };
  const restyle = plain ? plainStyle(method.output) : (json: JsonValue) => json;
  const key = responseBody && (plain ? snakeName : nameFor(protojson))(responseBody);
  const missing = key === undefined ? null : unsetBody();
  const isUsual = alwaysEmitImplicit && (plain || !(protojson.enumAsInteger || protojson.useProtoFieldName));
  if (isUsual && !needsTree(method.output)) {
    const rules = textRules(style, registry);
    return eitherWriter(method.output, textWriter(new JsonText(rules), missing), bytesWriter(rules, missing));
  }
  return eitherWriter(method.output, (message) => {
    const json = restyle(toJson(method.output, message, options));
    return JSON.stringify(key === undefined || !isTree(json) ? json : (json[key] ?? missing));
  });

  function bytesWriter(rules: TextRules, missing: JsonValue): BytesWriter | undefined {
    const only = responseBody && { field: responseBody, unset: JSON.stringify(missing) };
    return new WireText(rules).writerOf(method.output, only);
  }

  function textWriter(text: JsonText, missing: JsonValue): ResponseWriter {
    if (responseBody === undefined) return text.writerOf(method.output);
    const write = text.fieldWriter(responseBody);
    const unset = JSON.stringify(missing);
    return (message) => write(message) ?? unset;
  }

  /** What stands for a response_body that is not set, or has its default and is not written. */
  function unsetBody(): JsonValue {
    const unset = restyle(toJson(method.output, create(method.output), { ...options, alwaysEmitImplicit: true }));
    const isMessage = responseBody?.message !== undefined && !hasCustomJsonRepresentation(responseBody.message);
    return (isTree(unset) && key !== undefined ? unset[key] : undefined) ?? (isMessage ? {} : null);
  }
}

/** Writes messages and raw ones. */
function eitherWriter(desc: DescMessage, write: ResponseWriter, writeBytes?: BytesWriter): ResponseWriter {
  return (message) => {
    if (!(message instanceof RawMessage)) return write(message);
    return writeBytes?.(message.bytes) ?? write(decoded(desc, message.bytes));
  };
}

/** The message that the bytes are, or the error that tells of an answer that is none. */
export function decoded(desc: DescMessage, bytes: Uint8Array): Message {
  try {
    return fromBinary(desc, bytes);
  } catch (cause) {
    const why = messageOf(cause);
    throw new ConnectError(`cannot decode ${desc.typeName}: ${why}`, Code.Internal, undefined, undefined, cause);
  }
}

function textRules(style: JsonStyle, registry: Registry): TextRules {
  const isPlain = style === "plain";
  return {
    registry,
    hasNumbers: isPlain,
    nameOf: isPlain ? snakeName : ({ jsonName }) => jsonName,
    enumText: (desc, jsonName) => (isPlain ? enumNames(desc).toShort.get(jsonName) : undefined) ?? jsonName,
    restyle: (desc, json) => (isPlain ? plainStyle(desc)(json) : json),
  };
}

/** Plans how a binding's responses are taken as bytes; `undefined` where they are JSON. */
export function rawReader({ rawResponse, responseBody }: Binding): RawReader | undefined {
  if (!rawResponse) return undefined;
  if (responseBody === undefined) return rawBodyOf;
  return (message) => rawBodyOf(fieldValue(message as Message & Record<string, unknown>, responseBody) as Message);
}

function nameFor({ useProtoFieldName = false }: JsonOutput): (field: DescField) => string {
  return (field) => (useProtoFieldName ? field.name : field.jsonName);
}

/** What a field of a message holds; `undefined` where its oneof holds another. */
export function fieldValue(message: Record<string, unknown>, field: DescField): unknown {
  if (field.oneof === undefined) return message[field.localName];
  const chosen = message[field.oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}
