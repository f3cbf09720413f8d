import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { listKeywords, patternKeywords, type Ruled } from "./rule-words.ts";
import type { Direction } from "./value-schema.ts";

/** What the rules of all kinds of numbers have in common: those of 64 bits are bigint, the others number. */
export interface NumberRules {
  readonly const: number | bigint;
  readonly lessThan: Bound<"lt" | "lte">;
  readonly greaterThan: Bound<"gt" | "gte">;
  readonly in: readonly (number | bigint)[];
  readonly notIn: readonly (number | bigint)[];
}

type Bound<C extends string> =
  | { readonly case: C; readonly value: number | bigint }
  | { readonly case: undefined; readonly value?: undefined };

/** The rules of a number that is a number in JSON too. `isConst` says whether `const` is set: it may be 0. */
export function numberRules(rules: NumberRules, isConst: boolean): Ruled {
  const keywords = {
    ...(isConst && { const: Number(rules.const) }),
    ...bounds(rules),
    ...listKeywords(rules.in.map(Number), rules.notIn.map(Number)),
  };
  return { keywords, words: [] };
}

/** The rules of a 64-bit integer: keywords bound it where it is written as a number, patterns and words as text. */
export function longRules(rules: NumberRules, isConst: boolean, direction: Direction): Ruled {
  const both = (value: number | bigint): JsonValue[] =>
    direction === "output" || !Number.isSafeInteger(Number(value)) ? [String(value)] : [String(value), Number(value)];
  const keywords = {
    ...(isConst && { enum: both(rules.const) }),
    ...(direction === "input" && bounds(rules)),
    ...patternKeywords(signPattern(rules)),
    ...listKeywords(rules.in.flatMap(both), rules.notIn.flatMap(both)),
  };
  return { keywords, words: boundWords(rules) };
}

function bounds({ lessThan, greaterThan }: NumberRules): JsonObject {
  const upper: JsonObject =
    lessThan.case === undefined
      ? {}
      : { [lessThan.case === "lt" ? "exclusiveMaximum" : "maximum"]: Number(lessThan.value) };
  const lower: JsonObject =
    greaterThan.case === undefined
      ? {}
      : { [greaterThan.case === "gt" ? "exclusiveMinimum" : "minimum"]: Number(greaterThan.value) };
  return isOutside({ lessThan, greaterThan }) ? { anyOf: [lower, upper] } : { ...lower, ...upper };
}

/** Bounds that cross mean a gap: below the one or above the other. */
function isOutside({ lessThan, greaterThan }: Pick<NumberRules, "lessThan" | "greaterThan">): boolean {
  return lessThan.case !== undefined && greaterThan.case !== undefined && lessThan.value <= greaterThan.value;
}

function signPattern(rules: NumberRules): readonly string[] {
  const { case: kind, value } = rules.greaterThan;
  if (kind === undefined || isOutside(rules)) return [];
  const least = BigInt(value) + (kind === "gt" ? 1n : 0n);
  if (least > 0n) return ["^[1-9][0-9]*$"];
  return least === 0n ? ["^[0-9]+$"] : [];
}

function boundWords(rules: NumberRules): readonly string[] {
  const names = { gt: "above", gte: "at least", lt: "below", lte: "at most" };
  const said = [rules.greaterThan, rules.lessThan].flatMap((bound) =>
    bound.case === undefined ? [] : [`${names[bound.case]} ${bound.value}`],
  );
  return said.length === 0 ? [] : [`Has to be ${said.join(isOutside(rules) ? " or " : " and ")}.`];
}
