import type { Registry } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import type { JsonStyle } from "../../rest/json/style.ts";
import { type JsonOutput, responseWriter } from "../../rest/response/response.ts";
import type { ResolvedPart } from "./aggregate.ts";
import type { Composed } from "./composition.ts";
import { missingJson } from "./missing.ts";
import type { ResolvedAggregate } from "./resolved.ts";

/** Writes what has come, and what is missing, as JSON text. */
export type BodyWriter = (composed: Composed) => string;

/** How protojson is written, and the types that it may hold. */
export type WrittenJson = JsonOutput & { readonly registry: Registry };

/** Plans how an aggregate is written: its parts in their order, each as REST writes it, and `partial` when something is missing. */
export function bodyWriter({ parts }: ResolvedAggregate, style: JsonStyle, json: WrittenJson): BodyWriter {
  const isSnake = style === "plain" || json.useProtoFieldName === true;
  const writers = parts.flatMap((each) => {
    if (each.call === undefined) return [];
    const { name } = each.part;
    return [{ name, key: JSON.stringify(isSnake ? name : protoCamelCase(name)), write: partWriter(each, style, json) }];
  });
  return ({ arrived, missing }) => {
    const members: string[] = [];
    for (const { name, key, write } of writers) {
      const came = arrived.get(name);
      if (came !== undefined) members.push(`${key}:${write(came)}`);
    }
    if (missing.length > 0) members.push(`"partial":${JSON.stringify(missing.map(missingJson))}`);
    return `{${members.join()}}`;
  };
}

function partWriter({ part, call: { method, show } }: ResolvedPart, style: JsonStyle, json: WrittenJson) {
  const write = responseWriter({ method, responseBody: show }, style, json);
  return ({ messages }: { readonly messages: readonly Parameters<typeof write>[0][] }) => {
    const texts = messages.map(write);
    return part.many ? `[${texts.join()}]` : (texts[0] ?? "null");
  };
}
