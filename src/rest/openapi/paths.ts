import type { DescField } from "@bufbuild/protobuf";
import type { Binding, BoundVariable } from "../routes/binding.ts";
import type { Segment } from "../routes/template.ts";

/** A blank in a documented path. */
export interface PathBlank {
  /** Its name in the path: of no matter to the wire. */
  readonly name: string;
  /** The field that it fills alone; `undefined` for a part of one, or for none. */
  readonly field: DescField | undefined;
  /** What it is a part of: the template's variable, where that covers more than this blank. */
  readonly partOf: BoundVariable | undefined;
  /** Takes any number of segments. */
  readonly rest: boolean;
}

/** A path as OpenAPI writes it: fixed segments and blanks of one segment each. */
export interface DocumentedPath {
  readonly path: string;
  readonly blanks: readonly PathBlank[];
}

/**
 * The path of a binding: "/v1/{name=shelves/*}:archive" is "/v1/shelves/{shelf}:archive", for a slash in a blank would
 * be escaped by every client. Blanks are named by their fields, and the others by the segment before them.
 */
export function documentedPath(
  { template, variables }: Pick<Binding, "template" | "variables">,
  nameOf = ({ fields }: BoundVariable) => jsonPath(fields),
): DocumentedPath {
  const names = new Set<string>();
  const blanks: PathBlank[] = [];
  const parts = template.segments.map((segment, at) => {
    if (segment.kind === "literal") return literal(segment.text);
    const variable = variables.find(({ start, end = template.segments.length }) => at >= start && at < end);
    const alone = variable !== undefined && (variable.end ?? template.segments.length) - variable.start === 1;
    const own = alone ? nameOf(variable) : nameAfter(template.segments[at - 1], variable);
    const name = unused(own, names);
    blanks.push({
      name,
      field: alone ? variable.fields.at(-1) : undefined,
      partOf: alone ? undefined : variable,
      rest: segment.kind === "rest",
    });
    return `{${name}}`;
  });
  const verb = template.verb === "" ? "" : `:${literal(template.verb)}`;
  return { path: `/${parts.join("/")}${verb}`, blanks };
}

/** The path with its blanks left empty: OpenAPI takes paths that differ in the names of blanks for the same. */
export function shapeOf({ path }: DocumentedPath): string {
  return path.replaceAll(/\{[^}]*\}/g, "{}");
}

/** The path in the words of another of the same shape. */
export function inWordsOf(other: DocumentedPath, own: DocumentedPath): DocumentedPath {
  const blanks = own.blanks.map((blank, i) => ({ ...blank, name: other.blanks[i]?.name ?? blank.name }));
  return { path: other.path, blanks };
}

/** A path of fields in the spelling of JSON: "order.userId". */
export function jsonPath(fields: readonly DescField[]): string {
  return fields.map(({ jsonName }) => jsonName).join(".");
}

function literal(text: string): string {
  return encodeURIComponent(text).replaceAll(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
}

function nameAfter(before: Segment | undefined, variable: BoundVariable | undefined): string {
  if (before?.kind === "literal" && /^[A-Za-z][\w-]*$/.test(before.text)) return singular(before.text);
  return variable === undefined ? "segment" : jsonPath(variable.fields);
}

function singular(word: string): string {
  if (/[^aeiou]ies$/.test(word)) return word.replace(/ies$/, "y");
  if (/(?:el|ol|ea|oa)ves$/.test(word)) return word.replace(/ves$/, "f");
  if (/(?:ss|x|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}

function unused(name: string, names: Set<string>): string {
  let free = name;
  for (let i = 2; names.has(free); i++) free = `${name}${i}`;
  names.add(free);
  return free;
}
