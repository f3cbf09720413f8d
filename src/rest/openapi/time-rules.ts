import { type Duration, durationMs, type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { DurationRules, TimestampRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** The rules of a Timestamp in words: JSON Schema has no keywords for them. */
export function timestampWords({ lessThan, greaterThan, within }: TimestampRules): readonly string[] {
  const words: string[] = [];
  if (lessThan.case === "ltNow") words.push("Has to lie in the past.");
  else if (lessThan.case !== undefined) words.push(`Has to be ${beforeWords[lessThan.case]} ${iso(lessThan.value)}.`);
  if (greaterThan.case === "gtNow") words.push("Has to lie in the future.");
  else if (greaterThan.case !== undefined)
    words.push(`Has to be ${afterWords[greaterThan.case]} ${iso(greaterThan.value)}.`);
  if (within !== undefined) words.push(`Has to be within ${seconds(within)} of now.`);
  return words;
}

const beforeWords = { lt: "before", lte: "at or before" } as const;
const afterWords = { gt: "after", gte: "at or after" } as const;

/** The rules of a Duration, likewise. */
export function durationWords({ lessThan, greaterThan, in: among }: DurationRules): readonly string[] {
  const words: string[] = [];
  if (greaterThan.case !== undefined)
    words.push(`Has to be ${greaterThan.case === "gt" ? "above" : "at least"} ${seconds(greaterThan.value)}.`);
  if (lessThan.case !== undefined)
    words.push(`Has to be ${lessThan.case === "lt" ? "below" : "at most"} ${seconds(lessThan.value)}.`);
  if (among.length > 0) words.push(`Has to be one of ${among.map(seconds).join(", ")}.`);
  return words;
}

function iso(at: Timestamp): string {
  return timestampDate(at).toISOString();
}

function seconds(span: Duration): string {
  return `${durationMs(span) / 1_000} s`;
}
