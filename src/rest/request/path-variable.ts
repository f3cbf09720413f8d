import { badField } from "../refusal.ts";
import type { Variable } from "../routes/template.ts";

/** Decoded text of a variable. In one that spans segments an escaped slash stays escaped, as google.api.http asks. */
export function variableText({ start, end, multi, path }: Variable, segments: readonly string[]): string {
  try {
    if (!multi) return decodeURIComponent(segments[start] ?? "");
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
