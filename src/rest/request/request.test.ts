import { create, type DescService } from "@bufbuild/protobuf";
import { createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { CustomHttpPatternSchema, HttpRuleSchema } from "../../../gen/google/api/http_pb.ts";
import { type RestCall, readAnswer, restRequest } from "../../testing/rest-caller.ts";
import { scratchService } from "../../testing/scratch-contract.ts";
import { transcoder } from "../transcoder.ts";

type Pattern = "get" | "post" | "put" | "patch";

function rule(verb: Pattern, path: string, body = "") {
  return create(HttpRuleSchema, { pattern: { case: verb, value: path }, body });
}

const service = scratchService(
  { name: "Search", rule: rule("get", "/v1/search") },
  { name: "Named", rule: rule("get", "/v1/named/{name}") },
  { name: "ById", rule: rule("get", "/v1/by-id/{long_int}") },
  { name: "Shelf", rule: rule("get", "/v1/{name=shelves/*}") },
  { name: "File", rule: rule("get", "/v1/files/{inner.label=**}") },
  { name: "OfKind", rule: rule("get", "/v1/kinds/{kind}/{created_at}/{flag}/{nick_name}") },
  { name: "Whole", rule: rule("post", "/v1/whole", "*") },
  { name: "WholeNamed", rule: rule("put", "/v1/whole/{self.inner.count}", "*") },
  { name: "Part", rule: rule("patch", "/v1/part/{inner.label}", "inner") },
  { name: "List", rule: rule("post", "/v1/list", "tags") },
  { name: "Text", rule: rule("post", "/v1/text", "name") },
  {
    name: "Purge",
    rule: create(HttpRuleSchema, {
      pattern: { case: "custom", value: create(CustomHttpPatternSchema, { kind: "PURGE", path: "/v1/search" }) },
    }),
  },
);

/** Answers every request with itself, so that tests see what arrived. */
const transport = createRouterTransport((router) => {
  const impl = Object.fromEntries(service.methods.map((method) => [method.localName, (request: unknown) => request]));
  router.service(service, impl as unknown as Partial<ServiceImpl<DescService>>);
});
const echo = transcoder({ services: [service], transport });

async function ask(line: string, call: RestCall = {}) {
  const [method = "", url = ""] = line.split(" ");
  const answer = await echo(restRequest(method, url, call));
  if (answer === undefined) throw new Error(`no route for ${line}`);
  return readAnswer(answer);
}

/** What arrived, without the fields that have default values. */
async function arrived(line: string, call: RestCall = {}): Promise<unknown> {
  const answer = await ask(line, call);
  expect(answer.status, answer.text).toBe(200);
  return withoutDefaults(answer.json);
}

function withoutDefaults(json: unknown): unknown {
  const { ...all } = json as Record<string, unknown>;
  const isDefault = (value: unknown) =>
    ["", 0, "0", false, "KIND_UNSPECIFIED", "unspecified"].includes(value as string) ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !isDefault(value)));
}

interface BadRequest {
  readonly code: number;
  readonly message: string;
  readonly details: readonly {
    readonly fieldViolations: readonly { readonly field?: string; readonly description: string }[];
  }[];
}

async function violations(line: string, call: RestCall = {}): Promise<string> {
  const answer = await ask(line, call);
  expect(answer.status, answer.text).toBe(400);
  const { code, details } = answer.json as BadRequest;
  expect(code).toBe(3);
  return (details[0]?.fieldViolations ?? [])
    .map(({ field = "", description }) => `${field}: ${description}`)
    .join("; ");
}

const queries: readonly (readonly [query: string, message: object])[] = [
  ["name=a%20b%2Fc", { name: "a b/c" }],
  ["name=a+b", { name: "a b" }],
  ["name=a=b", { name: "a=b" }],
  ["name=", {}],
  ["&&name=x&", { name: "x" }],
  ["small_int=-5", { smallInt: -5 }],
  ["smallInt=5", { smallInt: 5 }],
  ["long_int=9223372036854775807", { longInt: "9223372036854775807" }],
  ["flag=true", { flag: true }],
  ["flag", { flag: true }],
  ["flag=1", { flag: true }],
  ["flag=True", { flag: true }],
  ["flag=false", {}],
  ["ratio=-1.5e3", { ratio: -1500 }],
  ["ratio=NaN", { ratio: "NaN" }],
  ["data=-_8%3D", { data: "+/8=" }],
  ["kind=KIND_SMALL", { kind: "KIND_SMALL" }],
  ["kind=2", { kind: "KIND_VERY_BIG" }],
  ["tags=a&tags=b", { tags: ["a", "b"] }],
  ["tags=a,b", { tags: ["a,b"] }],
  ["kinds=1&kinds=KIND_VERY_BIG", { kinds: ["KIND_SMALL", "KIND_VERY_BIG"] }],
  ["inner.label=x&inner.count=7", { inner: { label: "x", count: "7" } }],
  ["self.self.inner.label=x", { self: expect.objectContaining({ self: expect.anything() }) }],
  ["counts[a]=1&counts%5Bb.c%5D=2", { counts: { a: "1", "b.c": "2" } }],
  ["nick_name=", { nickName: "" }],
  ["big_int=12", { bigInt: "12" }],
  ["created_at=2026-01-31T12:00:00Z", { createdAt: "2026-01-31T12:00:00Z" }],
  ["span=1.5s", { span: "1.500s" }],
  ["update_mask=small_int,inner.label", { updateMask: "smallInt,inner.label" }],
  ["updateMask=smallInt&update_mask.paths=name", { updateMask: "smallInt,name" }],
  ["right.label=x", { right: { label: "x", count: "0" } }],
  ["constructor=x", { constructor: "x" }],
  ["ReNamed=5", { ReNamed: "5" }],
  ["renamed=5", { ReNamed: "5" }],
];

test.each(queries)("the query ?%s arrives in its field", async (query, message) => {
  const expected = Object.keys(message).length === 1 && "nickName" in message ? {} : message;
  expect(await arrived(`GET /v1/search?${query}`)).toEqual(expected);
});

test("a wrapper that is set to its default is set all the same", async () => {
  expect((await ask("GET /v1/search?nick_name=")).json).toHaveProperty("nickName", "");
  expect((await ask("GET /v1/search")).json).not.toHaveProperty("nickName");
});

const badQueries: readonly (readonly [query: string, violation: string])[] = [
  ["nmae=x", "nmae: unknown query parameter"],
  ["inner.x=1", "inner.x: unknown query parameter"],
  ["name.x=1", "name.x: unknown query parameter"],
  ["=x", ": unknown query parameter"],
  ["__proto__=x", "__proto__: unknown query parameter"],
  ["__proto__.x=x", "__proto__.x: unknown query parameter"],
  ["toString=x", "toString: unknown query parameter"],
  ["counts[__proto__]=1", "counts[__proto__]: cannot be given in the query string"],
  ["small_int=abc", "small_int: must be an integer (int32)"],
  ["smallInt=", "smallInt: must be an integer (int32)"],
  ["small_int=2147483648", "small_int: must be an integer (int32)"],
  ["small_int=0x10", "small_int: must be an integer (int32)"],
  ["long_int=1.5", "long_int: must be an integer (int64)"],
  ["long_int=9223372036854775808", "long_int: must be an integer (int64)"],
  ["flag=yes", "flag: must be true or false"],
  ["ratio=much", "ratio: must be a number"],
  ["data=%21", "data: must be a string in base64"],
  ["kind=HUGE", "kind: must be one of KIND_UNSPECIFIED, KIND_SMALL, KIND_VERY_BIG"],
  ["kind=small", "kind: must be one of KIND_UNSPECIFIED, KIND_SMALL, KIND_VERY_BIG"],
  ["long_ints=1&long_ints=x", "long_ints[1]: must be an integer (int64)"],
  ["counts[a]=x", "counts.a: must be an integer (int64)"],
  ["created_at=yesterday", 'created_at: must be a time such as "2026-01-31T12:00:00Z"'],
  ["span=5", 'span: must be a duration in seconds such as "1.5s"'],
  ["inner.count=x", "inner.count: must be an integer (int64)"],
  ["big_int=x", "big_int: must be an integer (int64)"],
  ["inner=x", "inner: cannot be given in the query string"],
  ["inners=x", "inners: cannot be given in the query string"],
  ["counts=x", "counts: cannot be given in the query string"],
  ["name[a]=x", "name[a]: cannot be given in the query string"],
  ["extra=x", "extra: cannot be given in the query string"],
  ["name=a&name=b", "name: is given twice"],
  ["small_int=1&smallInt=2", "smallInt: is given twice"],
  ["counts[a]=1&counts[a]=2", "counts[a]: is given twice"],
  ["left=x&right.label=y", "right: cannot be set together with left"],
  ["name=%zz", "%zz: has a bad percent escape in the query string"],
  ["name=%ff", "%ff: has a bad percent escape in the query string"],
];

test.each(badQueries)("the query ?%s is refused, naming the parameter", async (query, violation) => {
  expect(await violations(`GET /v1/search?${query}`)).toBe(violation);
});

const paths: readonly (readonly [path: string, message: object])[] = [
  ["/v1/named/abc", { name: "abc" }],
  ["/v1/named/a%2Fb%20%C3%BC", { name: "a/b ü" }],
  ["/v1/named/a+b", { name: "a+b" }],
  ["/v1/named/a:b", { name: "a:b" }],
  ["/v1/by-id/9007199254740993", { longInt: "9007199254740993" }],
  ["/v1/shelves/a%2fb", { name: "shelves/a%2fb" }],
  ["/v1/files/a/b%20c/%2F", { inner: { label: "a/b c/%2F", count: "0" } }],
  [
    "/v1/kinds/2/2026-01-31T12:00:00Z/true/nick",
    { kind: "KIND_VERY_BIG", createdAt: "2026-01-31T12:00:00Z", flag: true, nickName: "nick" },
  ],
  ["/v1/named/abc?small_int=1", { name: "abc", smallInt: 1 }],
];

test.each(paths)("the path %s arrives in its fields", async (path, message) => {
  expect(await arrived(`GET ${path}`)).toEqual(message);
});

const badPaths: readonly (readonly [path: string, violation: string])[] = [
  ["/v1/by-id/abc", "longInt: must be an integer (int64)"],
  ["/v1/by-id/%20", "longInt: must be an integer (int64)"],
  ["/v1/by-id/99999999999999999999", "longInt: must be an integer (int64)"],
  ["/api/by-id/abc", "long_int: must be an integer (int64)"],
  ["/v1/named/%zz", "name: has a bad percent escape in the path"],
  ["/v1/named/%ff", "name: has a bad percent escape in the path"],
  ["/v1/files/a/%c3", "inner.label: has a bad percent escape in the path"],
  ["/v1/named/abc?name=abc", "name: is given by the path"],
];

test.each(badPaths)("the path %s is refused, naming the field", async (path, violation) => {
  expect(await violations(`GET ${path}`)).toBe(violation);
});

test("a custom method reaches its own binding", async () => {
  expect(await arrived("PURGE /v1/search?name=x")).toEqual({ name: "x" });
});

test("both spellings, numbers for 64 bits, and nulls are read from a body", async () => {
  const body = {
    small_int: 1,
    longInt: 2,
    long_ints: [3, "4"],
    inner: null,
    created_at: "2026-01-31T12:00:00Z",
    ReNamed: 6,
  };
  expect(await arrived("POST /v1/whole", { body })).toEqual({
    smallInt: 1,
    longInt: "2",
    longInts: ["3", "4"],
    createdAt: "2026-01-31T12:00:00Z",
    ReNamed: "6",
  });
});

test("a body mapped to one field is that field's value, and the rest may come from the query", async () => {
  expect(await arrived("POST /v1/list?name=x", { body: ["a", "b"] })).toEqual({ tags: ["a", "b"], name: "x" });
  expect(await arrived("POST /v1/text", { body: '"hello"' })).toEqual({ name: "hello" });
  expect(await violations("POST /v1/list?tags=c", { body: ["a"] })).toBe("tags: is given by the body");
  expect(await violations("POST /v1/list", { body: { a: 1 } })).toBe("tags: must be an array");
});

test("an empty body is an empty message where it is all of the request, and missing where it is one field", async () => {
  expect(await arrived("POST /v1/whole", { body: "" })).toEqual({});
  expect(await arrived("POST /v1/whole", { body: " \n" })).toEqual({});
  expect(await violations("POST /v1/list")).toBe("tags: is missing: the request's body has to be its JSON");
  expect(await violations("PATCH /v1/part/x?update_mask=count")).toBe(
    "inner: is missing: the request's body has to be its JSON",
  );
});

test("the short names of enums are read under /api, from query and body, alone, in lists and below", async () => {
  expect(await arrived("GET /api/search?kind=very_big&kinds=small&kinds=2")).toEqual({
    kind: "very_big",
    kinds: ["small", "very_big"],
  });
  const body = { kind: "Small", self: { self: { kinds: ["small", "KIND_VERY_BIG", 2] } } };
  expect((await ask("POST /api/whole", { body })).json).toMatchObject({
    kind: "small",
    self: { self: { kinds: ["small", "very_big", "very_big"] } },
  });
});

test("an integer too large for a JavaScript number arrives exactly, also when it is written as a number", async () => {
  const body = '{"long_int": 9007199254740993, "long_ints": [-9223372036854775808, 1], "ratio": 12345678901234567890}';
  expect(await arrived("POST /v1/whole", { body })).toEqual({
    longInt: "9007199254740993",
    longInts: ["-9223372036854775808", "1"],
    ratio: 12345678901234567000,
  });
});

test("a method that reads its whole body takes nothing from the query", async () => {
  expect(await violations("POST /v1/whole?name=x", { body: {} })).toBe(
    "name: unknown query parameter: this method reads its body alone",
  );
});

test("a body field that the path gives too has to say the same", async () => {
  const whole = (body: unknown) => ({ body });
  expect(await arrived("PUT /v1/whole/7", whole({ self: { inner: { count: 7 } } }))).toHaveProperty("self");
  expect(await arrived("PUT /v1/whole/7", whole({ self: { inner: { count: "7" } } }))).toHaveProperty("self");
  expect(await arrived("PUT /v1/whole/7", whole({ self: { inner: null } }))).toHaveProperty("self");
  expect(await violations("PUT /v1/whole/7", whole({ self: { inner: { count: 8 } } }))).toBe(
    'self.inner.count: is 8 in the body but "7" in the path',
  );
  expect(await violations("PUT /v1/whole/7", whole({ self: { inner: 5 } }))).toBe("self.inner: must be an object");
});

test("a PATCH without a mask changes what its body names, also back to nothing", async () => {
  const patch = async (line: string, body: unknown) =>
    ((await arrived(line, { body })) as { updateMask?: string }).updateMask;
  expect(await patch("PATCH /v1/part/x", { count: 0 })).toBe("count");
  expect(await patch("PATCH /v1/part/x", { count: null })).toBe("count");
  expect(await patch("PATCH /v1/part/x", { label: "x", count: 1 })).toBe("count");
  expect(await patch("PATCH /v1/part/x", {})).toBeUndefined();
  expect(await patch("PATCH /v1/part/x?update_mask=label", { count: 1 })).toBe("label");
});

const badBodies: readonly (readonly [body: unknown, violation: string])[] = [
  [{ nmae: 1 }, "nmae: unknown field"],
  [{ inner: { x: 1 } }, "inner.x: unknown field"],
  [{ inners: [{}, { count: "x" }] }, "inners[1].count: must be an integer (int64)"],
  [{ inners: [null] }, "inners[0]: must be an object"],
  [{ inners: {} }, "inners: must be an array"],
  [{ tags: ["a", 1] }, "tags[1]: must be a string"],
  [{ tags: [null] }, "tags[0]: must be a string"],
  [{ counts: { a: "x" } }, "counts.a: must be an integer (int64)"],
  [{ counts: [] }, "counts: must be an object"],
  [{ name: 5 }, "name: must be a string"],
  [{ name: "\ud800" }, "name: must be a string"],
  [
    { small_int: "x", longInt: {}, flag: "true" },
    "small_int: must be an integer (int32); longInt: must be an integer (int64); flag: must be true or false",
  ],
  [{ small_int: 1.5 }, "small_int: must be an integer (int32)"],
  [{ smallInt: 1, small_int: 1 }, "small_int: cannot be set together with smallInt"],
  [{ left: "a", right: {} }, "right: cannot be set together with left"],
  [{ inner: "x" }, "inner: must be an object"],
  [{ extra: 5 }, "extra: must be an object"],
  [{ any: { "@type": "type.googleapis.com/no.Such" } }, "any: must be a valid google.protobuf.Any"],
  [{ updateMask: ["a"] }, 'updateMask: must be field names in one string: "name,email"'],
  ['{"name":"a","name":"b"}', "name: is given twice"],
  ['{"name":"a","n\\u0061me":"b"}', "name: is given twice"],
  ['{"inner":{"label":"a","label":"b"}}', "label: is given twice"],
  ['{"__proto__":{"name":"x"}}', "__proto__: unknown field"],
  ['{"counts":{"__proto__":"1"}}', "__proto__: unknown field"],
  ['{"extra":{"__pr\\u006fto__":"1"}}', "__proto__: unknown field"],
];

test.each(badBodies)("the body %j is refused, naming the field", async (body, violation) => {
  expect(await violations("POST /v1/whole", { body })).toBe(violation);
});

test("a message in the well-known forms comes back as it was sent", async () => {
  const body = { extra: { a: [1, { b: null }] }, any: { "@type": "type.googleapis.com/scratch.v1.Inner", label: "x" } };
  const answer = (await ask("POST /v1/whole", { body })).json;
  expect(answer).toMatchObject({ extra: body.extra, any: { label: "x" } });
});
