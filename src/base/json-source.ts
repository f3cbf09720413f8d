import { readFileSync } from "node:fs";
import { messageOf } from "./message-of.ts";

/** JSON from a setting: its text, or "@path" of a file that holds the text; an empty one is `{}`. Throws where it is none. */
export function jsonSource(source: string): unknown {
  const text = (source.startsWith("@") ? readFileSync(source.slice(1), "utf8") : source).trim();
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch (reason) {
    throw new Error(`it is not JSON: ${messageOf(reason)}`, { cause: reason });
  }
}
