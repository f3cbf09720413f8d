import type { DescEnum, JsonObject } from "@bufbuild/protobuf";
import { commentOf } from "./comments.ts";
import { described } from "./described.ts";

/** The schema of an enum: its values by name or by number, with what their comments say. */
export function enumSchema(desc: DescEnum, asInteger: boolean): JsonObject {
  const values = desc.values.map((value) => {
    const comment = [value.deprecated && "Deprecated.", commentOf(value)].filter(Boolean).join(" ");
    return { name: asInteger ? value.number : value.jsonName, comment: comment.replaceAll(/\s+/g, " ") };
  });
  const list = values.filter(({ comment }) => comment !== "").map(({ name, comment }) => `- \`${name}\`: ${comment}`);
  return {
    type: asInteger ? "integer" : "string",
    enum: values.map(({ name }) => name),
    ...described([commentOf(desc), list.join("\n")]),
    ...(list.length > 0 && { "x-enum-descriptions": values.map(({ comment }) => comment) }),
    ...(desc.deprecated && { deprecated: true }),
  };
}
