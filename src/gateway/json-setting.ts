import type { JsonOutput } from "../rest/response/response.ts";

/** What REST_JSON may say, and what it means. */
const words: ReadonlyMap<string, JsonOutput> = new Map([
  ["enum-numbers", { enumAsInteger: true }],
  ["proto-names", { useProtoFieldName: true }],
  ["no-defaults", { alwaysEmitImplicit: false }],
]);

/** How answers are written, from words between commas: "proto-names,no-defaults". None of them is protojson with every field. */
export function jsonSetting(text: string): JsonOutput {
  const given = text.split(",").map((word) => word.trim());
  return Object.assign({}, ...given.filter((word) => word !== "").map(meaningOf)) as JsonOutput;
}

function meaningOf(word: string): JsonOutput {
  const meaning = words.get(word);
  if (meaning === undefined) throw new Error(`has to be some of ${[...words.keys()].join(", ")}, between commas`);
  return meaning;
}
