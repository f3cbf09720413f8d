import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** A rule of a contract in JSON Schema's keywords, and in words where it has no keyword for it. */
export interface Ruled {
  readonly keywords: JsonObject;
  readonly words: readonly string[];
}

/** No rule at all. */
export const unruled: Ruled = { keywords: {}, words: [] };

/** Patterns that all have to fit; JSON Schema has room for one, and for the others in `allOf`. */
export function patternKeywords([first, ...others]: readonly string[]): JsonObject {
  if (first === undefined) return {};
  return { pattern: first, ...(others.length > 0 && { allOf: others.map((pattern) => ({ pattern })) }) };
}

/** Text as a pattern that stands for it and nothing else. */
export function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

/** `in` and `not_in`; an empty list is no rule. */
export function listKeywords(among: readonly JsonValue[], not: readonly JsonValue[]): JsonObject {
  return {
    ...(among.length > 0 && { enum: [...among] }),
    ...(not.length > 0 && { not: { enum: [...not] } }),
  };
}
