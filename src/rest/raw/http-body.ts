import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";

/** A body that is no JSON: what a `google.api.HttpBody` holds. */
export interface RawBody {
  /** As the Content-Type header has it; "" for unknown. */
  readonly contentType: string;
  readonly data: Uint8Array;
}

/**
 * Whether messages of this type stand for the body itself. Told by name and fields, for a contract that came by
 * reflection brings its own description of the type: https://google.aip.dev/127
 */
export function isHttpBody(desc: DescMessage | undefined): desc is DescMessage {
  if (desc?.typeName !== "google.api.HttpBody") return false;
  return desc.field.contentType?.scalar === ScalarType.STRING && desc.field.data?.scalar === ScalarType.BYTES;
}

/** Whether the field holds one `google.api.HttpBody`. */
export function isHttpBodyField(field: DescField): field is DescField & { fieldKind: "message" } {
  return field.fieldKind === "message" && isHttpBody(field.message);
}

/** What a `google.api.HttpBody` holds; an empty body for none. */
export function rawBodyOf(message: Message | undefined): RawBody {
  return message === undefined ? { contentType: "", data: new Uint8Array() } : (message as Message & RawBody);
}
