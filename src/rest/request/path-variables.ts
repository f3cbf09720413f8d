import { create, type DescField, type Message, ScalarType } from "@bufbuild/protobuf";
import { badField } from "../refusal.ts";
import type { Binding } from "../routes/binding.ts";
import type { Variable } from "../routes/template.ts";

/** Makes a request message of the path's raw segments alone. */
export type PathReader = (segments: readonly string[]) => Message;

/**
 * Plans how requests are read that consist of nothing but texts in their path, as `GET /v1/orders/{id}` does: these are
 * put into the message as they are, which costs a third of going through JSON. `undefined` for bindings that may be told more, or
 * anything but text; a query is for the usual reader in any case.
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
