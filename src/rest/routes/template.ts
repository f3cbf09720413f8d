/** One segment of a path template: fixed text, `*` (any one segment) or `**` (all that are left). */
export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "any" }
  | { readonly kind: "rest" };

/** A variable and the segments it covers, from `start` up to `end`; without `end`, to the end of the path. */
export interface Variable {
  readonly path: string;
  readonly start: number;
  readonly end: number | undefined;
  /** Covers more than exactly one `*`, so that a slash in its value is a slash of the path. */
  readonly multi: boolean;
}

/** A path template taken apart. */
export interface Template {
  readonly source: string;
  readonly segments: readonly Segment[];
  readonly variables: readonly Variable[];
  /** What follows the last colon, decoded; "" for none. */
  readonly verb: string;
}

/** A template breaks the grammar; the message says where and how. */
export class TemplateError extends Error {
  constructor(source: string, at: number, reason: string) {
    super(`path template "${source}": ${reason} at position ${at}`);
    this.name = "TemplateError";
  }
}

const literalPattern = /[A-Za-z0-9\-._~!$&'()+,;=@%]+/y;
const fieldPathPattern = /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/y;

/**
 * Parses a path template of google.api.http: "/v1/users/{user.id}", "/v1/{name=shelves/*}:archive", "/files/{path=**}".
 *
 * The grammar is the one in google/api/http.proto; `**` stands last, no variable holds another, and none is named twice.
 */
export function parseTemplate(source: string): Template {
  return new TemplateParser(source).parse();
}

/** The path that a template describes when its variables have these values, percent-encoded. */
export function fillTemplate(template: Template, textOf: (variable: Variable) => string): string {
  const starts = new Map(template.variables.map((variable) => [variable.start, variable]));
  let path = "";
  for (let i = 0; i < template.segments.length; ) {
    const variable = starts.get(i);
    const segment = template.segments[i];
    if (variable !== undefined) {
      path += `/${encodeVariable(textOf(variable), variable.multi)}`;
      i = variable.end ?? template.segments.length;
    } else {
      path += segment?.kind === "literal" ? `/${encodeURIComponent(segment.text)}` : "/";
      i++;
    }
  }
  return template.verb === "" ? path : `${path}:${encodeURIComponent(template.verb)}`;
}

function encodeVariable(value: string, multi: boolean): string {
  if (!multi) return encodeURIComponent(value.toWellFormed());
  return value
    .split("/")
    .map((part) => encodeURIComponent(part.toWellFormed()))
    .join("/");
}

class TemplateParser {
  readonly #source: string;
  #at = 0;
  readonly #segments: Segment[] = [];
  readonly #variables: Variable[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Template {
    if (!this.#takes("/")) throw this.#error('expected "/"');
    this.#parseSegments(true);
    const verb = this.#takes(":") ? this.#literal("a verb") : "";
    if (this.#at < this.#source.length) throw this.#error(`unexpected "${this.#source[this.#at]}"`);
    return { source: this.#source, segments: this.#segments, variables: this.#variables, verb };
  }

  #parseSegments(variablesAllowed: boolean): void {
    do {
      if (this.#segments.at(-1)?.kind === "rest") throw this.#error('nothing may follow "**"');
      if (variablesAllowed && this.#takes("{")) this.#parseVariable();
      else this.#segments.push(this.#parseSegment());
    } while (this.#takes("/"));
  }

  #parseVariable(): void {
    const path = this.#take(fieldPathPattern, "a field path");
    if (this.#variables.some((variable) => variable.path === path)) throw this.#error(`"${path}" is named twice`);
    const start = this.#segments.length;
    if (this.#takes("=")) this.#parseSegments(false);
    else this.#segments.push({ kind: "any" });
    if (!this.#takes("}")) throw this.#error('expected "}"');
    const covered = this.#segments.slice(start);
    const end = covered.at(-1)?.kind === "rest" ? undefined : this.#segments.length;
    this.#variables.push({ path, start, end, multi: covered.length > 1 || covered[0]?.kind !== "any" });
  }

  #parseSegment(): Segment {
    if (this.#takes("**")) return { kind: "rest" };
    if (this.#takes("*")) return { kind: "any" };
    return { kind: "literal", text: this.#literal("a segment") };
  }

  #literal(what: string): string {
    const text = this.#take(literalPattern, what);
    try {
      return decodeURIComponent(text);
    } catch {
      throw this.#error("a bad percent escape before here"); // URIError says no more than that
    }
  }

  #takes(token: string): boolean {
    if (!this.#source.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #take(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found === undefined) throw this.#error(`expected ${what}`);
    this.#at += found.length;
    return found;
  }

  #error(reason: string): TemplateError {
    return new TemplateError(this.#source, this.#at, reason);
  }
}
