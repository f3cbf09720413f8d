import { badField, unreadable } from "../refusal.ts";

const maxDepth = 100;
const quote = 34;
const comma = 44;
const colon = 58;
const openArray = 91;
const backslash = 92;
const closeArray = 93;
const openObject = 123;
const closeObject = 125;

/**
 * Refuses JSON text that `JSON.parse` would take, and quietly make something else of: keys given twice, `__proto__`,
 * and nesting deeper than 100. One pass over the text; what is no JSON at all is left for the parser to find.
 */
export function checkJsonText(text: string): void {
  const open: (Set<string> | undefined)[] = []; // the keys seen in each open object; undefined for an array
  let key = false; // whether the next string is a key
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case openObject:
      case openArray:
        key = text.charCodeAt(i) === openObject;
        open.push(key ? new Set() : undefined);
        if (open.length > maxDepth) throw unreadable(`the body is nested deeper than ${maxDepth}`);
        break;
      case closeObject:
      case closeArray:
        open.pop();
        key = false;
        break;
      case comma:
        key = open.at(-1) !== undefined;
        break;
      case colon:
        key = false;
        break;
      case quote: {
        const end = endOfString(text, i);
        const keys = open.at(-1);
        if (key && keys !== undefined) addKey(keys, text.slice(i, end + 1));
        key = false;
        i = end;
      }
    }
  }
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === backslash) i++;
    else if (code === quote) break;
  }
  return i;
}

function addKey(keys: Set<string>, quoted: string): void {
  const key = quoted.includes("\\") ? unquote(quoted) : quoted.slice(1, -1);
  if (key === "__proto__") throw badField(key, "unknown field");
  if (keys.has(key)) throw badField(key, "is given twice");
  keys.add(key);
}

function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted; // no JSON string: the parser will say so, with its position
  }
}
