/** Contracts that are refused when they are loaded. */
export interface RefusedRow {
  readonly says: string;
  readonly rules: readonly string[];
  /** Parts of the error, the names of the methods among them. */
  readonly why: readonly string[];
}

const both = ["scratch.v1.ScratchService.Method1", "scratch.v1.ScratchService.Method0"] as const;

type Ambiguous = readonly [says: string, first: string, second: string];

const ambiguous: readonly Ambiguous[] = [
  ["the same path", "GET /v1/x", "GET /v1/x"],
  ["variables of other names", "GET /v1/{name}/x", "GET /v1/{left}/x"],
  ["a variable and a wildcard", "GET /v1/{name}", "GET /v1/*"],
  ["a variable over a literal, and the literal before a variable", "GET /v1/{name=a/*}", "GET /v1/a/{left}"],
  ["two variables over **", "GET /v1/{name=a/**}", "GET /v1/a/{left=**}"],
  ["a variable over a literal alone, and the literal", "GET /v1/{name=a}", "GET /v1/a"],
  ["literals that differ by their escapes", "GET /v1/a%62", "GET /v1/ab"],
  ["the same verb", "POST /v1/{name}:stop", "POST /v1/{left}:stop"],
  ["the same custom kind", "PURGE /v1/x", "purge /v1/x"],
  ["every method twice", "* /v1/x", "* /v1/x"],
  ["an additional binding of another", "GET /v1/x", "GET /v1/y + GET /v1/x"],
  ["a custom kind that is one of the others", "GET /v1/x", "get /v1/x"],
];

type Broken = readonly [says: string, rule: string, why: string];

const broken: readonly Broken[] = [
  ["a template that does not begin with a slash", "GET v1/x", 'expected "/" at position 0'],
  ["an empty template", "GET ", 'expected "/" at position 0'],
  ["a template of a slash alone", "GET /", "expected a segment at position 1"],
  ["a template that ends in a slash", "GET /v1/", "expected a segment at position 4"],
  ["an empty segment", "GET /v1//x", "expected a segment at position 4"],
  ["a variable without end", "GET /v1/{name", 'expected "}"'],
  ["a variable without name", "GET /v1/{=x}", "expected a field path"],
  ["a variable in a variable", "GET /v1/{name={left}}", "expected a segment"],
  ["a variable beside text", "GET /v1/x{name}", 'unexpected "{"'],
  ["a variable twice", "GET /v1/{name}/{name}", '"name" is named twice'],
  ["a segment after **", "GET /v1/**/x", 'nothing may follow "**"'],
  ["a segment after a variable over **", "GET /v1/{name=**}/x", 'nothing may follow "**"'],
  ["*** ", "GET /v1/***", 'unexpected "*"'],
  ["a verb without text", "POST /v1/x:", "expected a verb"],
  ["two verbs", "POST /v1/x:a:b", 'unexpected ":"'],
  ["a verb before a segment", "POST /v1/x:a/y", 'unexpected "/"'],
  ["a verb inside a variable", "POST /v1/{name=x:a}", 'expected "}"'],
  ["a query", "GET /v1/x?y", 'unexpected "?"'],
  ["a broken escape", "GET /v1/%zz", "a bad percent escape"],
  ["a variable that is no field", "GET /v1/{nope}", 'has no field "nope"'],
  ["a variable below a scalar", "GET /v1/{name.x}", '"x" lies below a field that holds none'],
  ["a repeated variable", "GET /v1/{tags}", 'path variable "tags": its type cannot stand in a path'],
  ["a variable below a repeated field", "GET /v1/{inners.label}", '"label" lies below a field that holds none'],
  ["a map as a variable", "GET /v1/{counts}", "its type cannot stand in a path"],
  ["a message as a variable", "GET /v1/{inner}", "its type cannot stand in a path"],
  ["a body that is no field", "POST /v1/x body=nope", 'body: scratch.v1.Everything has no field "nope"'],
  ["a body below a field", "POST /v1/x body=inner.label", 'body: scratch.v1.Everything has no field "inner.label"'],
  ["a body that the path has", "POST /v1/{name} body=name", '"name" is both the body and in the path'],
  ["a response_body that is no field", "GET /v1/x response_body=nope", "response_body: scratch.v1.Everything has no"],
  ["a response_body below a field", "GET /v1/x response_body=inner.label", 'has no field "inner.label"'],
  ["a kind that is no token", "a(b /v1/x", '"a(b" is no HTTP method'],
];

/** What the specification forbids, and what would leave a request to chance. */
export const refusedRows: readonly RefusedRow[] = [
  ...ambiguous.map(([what, first, second]) => ({
    says: `two methods may not claim one route: ${what}`,
    rules: [first, second],
    why: both,
  })),
  ...broken.map(([what, rule, why]) => ({
    says: `a rule may not have ${what}`,
    rules: [rule],
    why: ["scratch.v1.ScratchService.Method0", why],
  })),
];
