import type { JsonObject } from "@bufbuild/protobuf";
import type { Row } from "./row.ts";

type Read = readonly [says: string, body: unknown, arrives: JsonObject];
type Refused = readonly [says: string, body: unknown, message: string];

/** What the Protobuf JSON mapping has parsers accept: https://protobuf.dev/programming-guides/json/ */
const read: readonly Read[] = [
  ["names in camelCase", { smallInt: 1 }, { smallInt: 1 }],
  ["names as the contract has them", { small_int: 1, nick_name: "n" }, { smallInt: 1, nickName: "n" }],
  ["a 32-bit integer as text", { smallInt: "1" }, { smallInt: 1 }],
  ["an integer with an exponent", '{"smallInt": 1e2}', { smallInt: 100 }],
  ["an integer with a fraction of nothing", '{"smallInt": 1.0}', { smallInt: 1 }],
  ["a 64-bit integer as text", { longInt: "9223372036854775807" }, { longInt: "9223372036854775807" }],
  ["a 64-bit integer as a number, exactly", '{"longInt": 9007199254740993}', { longInt: "9007199254740993" }],
  ["a double as text", { ratio: "1.5" }, { ratio: 1.5 }],
  ["NaN as text", { ratio: "NaN" }, { ratio: "NaN" }],
  ["bytes in base64", { data: "+/8=" }, { data: "+/8=" }],
  ["bytes in base64 for URLs, unpadded", { data: "-_8" }, { data: "+/8=" }],
  ["an enum by name", { kind: "KIND_SMALL" }, { kind: "KIND_SMALL" }],
  ["an enum by number", { kind: 2 }, { kind: "KIND_VERY_BIG" }],
  ["null as nothing", { name: null, inner: null, tags: null, counts: null }, {}],
  ["a wrapper as what it wraps", { nickName: "", bigInt: 5 }, { nickName: "", bigInt: "5" }],
  ["a timestamp", { createdAt: "2026-01-31T12:00:00+01:00" }, { createdAt: "2026-01-31T11:00:00Z" }],
  ["a duration", { span: "3s" }, { span: "3s" }],
  ["a field mask in camelCase", { updateMask: "smallInt,inner.label" }, { updateMask: "smallInt,inner.label" }],
  ["a field mask in snake_case", { update_mask: "small_int" }, { updateMask: "smallInt" }],
  ["a Struct", { extra: { a: [1, null, { b: true }] } }, { extra: { a: [1, null, { b: true }] } }],
  [
    "maps",
    { counts: { a: 1, "": "2" }, flagsByNumber: { "7": true } },
    { counts: { a: "1", "": "2" }, flagsByNumber: { "7": true } },
  ],
  ["repeated messages", { inners: [{ label: "a" }, {}] }, { inners: [{ label: "a" }, {}] }],
  [
    "an Any with its type",
    { any: { "@type": "type.googleapis.com/scratch.v1.Inner", label: "x" } },
    { any: { "@type": "type.googleapis.com/scratch.v1.Inner", label: "x" } },
  ],
  [
    "bytes of HttpBody below a field as base64",
    { file: { contentType: "a/b", data: "eA==" } },
    { file: { contentType: "a/b", data: "eA==" } },
  ],
  ["nothing, as an empty message", "", {}],
  ["blanks, as an empty message", " \n", {}],
  ["an empty object", {}, {}],
];

const refused: readonly Refused[] = [
  ["an unknown field", { nope: 1 }, "nope: unknown field"],
  ["an unknown field below", { inner: { nope: 1 } }, "inner.nope: unknown field"],
  ["an unknown field in a list", { inners: [{}, { nope: 1 }] }, "inners[1].nope: unknown field"],
  ["a field in another case", { NAME: "x" }, "NAME: unknown field"],
  ["a field in both spellings", { smallInt: 1, small_int: 1 }, "small_int: cannot be set together with smallInt"],
  ["a key twice", '{"name":"a","name":"a"}', "name: is given twice"],
  ["a key twice, once escaped", '{"name":"a","\\u006eame":"a"}', "name: is given twice"],
  ["a key of a map twice", '{"counts":{"a":1,"a":2}}', "a: is given twice"],
  ["__proto__", '{"__proto__":{}}', "__proto__: unknown field"],
  ["two members of a oneof", { left: "a", right: {} }, "right: cannot be set together with left"],
  ["a number for a text", { name: 1 }, "name: must be a string"],
  ["a text for a bool", { flag: "true" }, "flag: must be true or false"],
  ["a number out of range", { smallInt: 2147483648 }, "smallInt: must be an integer (int32)"],
  ["a fraction for an integer", { longInt: 1.5 }, "longInt: must be an integer (int64)"],
  ["a number too great for a double", '{"ratio": 1e999}', "ratio: must be a number"],
  ["an object for a list", { tags: {} }, "tags: must be an array"],
  ["a list for an object", { inner: [] }, "inner: must be an object"],
  ["a list for a map", { counts: [] }, "counts: must be an object"],
  ["null in a list", { tags: [null] }, "tags[0]: must be a string"],
  ["a surrogate alone", '{"name":"\\ud800"}', "name: must be a string"],
  ["a type that no contract has", { any: { "@type": "x/no.Such" } }, "any: must be a valid google.protobuf.Any"],
  ["a list", [], "the body has to be a JSON object"],
  ["a text", '"x"', "the body has to be a JSON object"],
  ["null", "null", "the body has to be a JSON object"],
  ["NaN", '{"ratio":NaN}', "the body is not valid JSON"],
  ["a comma too many", '{"name":"x",}', "the body is not valid JSON"],
  ["half of it", '{"name":', "the body is not valid JSON"],
  ["two of them", "{}{}", "the body is not valid JSON"],
  ["what is no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), "the body is not valid UTF-8"],
  ["a hundred levels", `{"extra":${'{"a":'.repeat(100)}1${"}".repeat(101)}`, "the body is nested deeper than 100"],
];

/** HttpRule.body: "*", a field, or none. */
export const bodyRows: readonly Row[] = [
  ...read.map(([what, body, arrives]) => ({
    says: `a body has ${what}`,
    rules: "POST /v1/x body=*",
    ask: "POST /v1/x",
    body,
    arrives,
  })),
  ...refused.map(([what, body, message]) => ({
    says: `a body must not have ${what}`,
    rules: "POST /v1/x body=*",
    ask: "POST /v1/x",
    body,
    status: 400,
    message,
  })),
  {
    says: "body * takes what the path does not",
    rules: "PATCH /v1/{name} body=*",
    ask: "PATCH /v1/a",
    body: { left: "x" },
    arrives: { name: "a", left: "x" },
  },
  {
    says: "a field of the body that contradicts the path is refused",
    rules: "PUT /v1/{name} body=*",
    ask: "PUT /v1/a",
    body: { name: "b" },
    status: 400,
    message: 'name: is "b" in the body but "a" in the path',
  },
  {
    says: "a field of the body that repeats the path is fine: what was read can be sent back",
    rules: "PUT /v1/{name} body=*",
    ask: "PUT /v1/a",
    body: { name: "a", flag: true },
    arrives: { name: "a", flag: true },
  },
  {
    says: "a field below the body's that contradicts the path is refused",
    rules: "PUT /v1/{inner.label} body=inner",
    ask: "PUT /v1/a",
    body: { label: "b" },
    status: 400,
    message: 'inner.label: is "b" in the body but "a" in the path',
  },
  {
    says: "a body of one field is that field's JSON",
    rules: "POST /v1/x body=inner",
    ask: "POST /v1/x",
    body: { label: "l" },
    arrives: { inner: { label: "l" } },
  },
  {
    says: "a body of a repeated field is an array",
    rules: "POST /v1/x body=tags",
    ask: "POST /v1/x",
    body: ["a", "b"],
    arrives: { tags: ["a", "b"] },
  },
  {
    says: "a body of a map is an object",
    rules: "POST /v1/x body=counts",
    ask: "POST /v1/x",
    body: { a: 1 },
    arrives: { counts: { a: "1" } },
  },
  {
    says: "a body of a scalar is its JSON",
    rules: "POST /v1/x body=long_int",
    ask: "POST /v1/x",
    body: '"7"',
    arrives: { longInt: "7" },
  },
  {
    says: "a body of one field that is missing is refused",
    rules: "POST /v1/x body=inner",
    ask: "POST /v1/x",
    status: 400,
    message: "inner: is missing: the request's body has to be its JSON",
  },
  {
    says: "a body that no field takes is refused",
    rules: "POST /v1/x",
    ask: "POST /v1/x",
    body: { name: "x" },
    status: 400,
    message: "unexpected body: this method reads its path and its query parameters alone",
  },
  {
    says: "an empty object that no field takes says nothing",
    rules: "POST /v1/x",
    ask: "POST /v1/x",
    body: {},
    arrives: {},
  },
  {
    says: "a body of GET means nothing",
    rules: "GET /v1/x",
    ask: "GET /v1/x",
    body: { name: "x" },
    arrives: {},
  },
  {
    says: "a form is refused with a word on how to send JSON",
    rules: "POST /v1/x body=*",
    ask: "POST /v1/x",
    body: "name=x",
    header: { "content-type": "application/x-www-form-urlencoded" },
    status: 415,
    message: "curl: add -H 'Content-Type: application/json'",
  },
  {
    says: "a body of a +json type is JSON",
    rules: "POST /v1/x body=*",
    ask: "POST /v1/x",
    body: '{"name":"x"}',
    header: { "content-type": "application/merge-patch+json; charset=utf-8" },
    arrives: { name: "x" },
  },
  {
    says: "a body over the limit is refused",
    rules: "POST /v1/x body=*",
    ask: "POST /v1/x",
    body: { name: "x".repeat(4 * 1024 * 1024) },
    status: 413,
    message: "the body is over 4194304 bytes",
  },
];

/** AIP-134: a PATCH without a mask changes what its body names. */
export const maskRows: readonly Row[] = (
  [
    ["names the fields of its body", { label: "x", count: 1 }, "label,count"],
    ["names a field that is set back to nothing", { count: 0 }, "count"],
    ["names a field that is null", { label: null }, "label"],
    ["names no field for an empty body", {}, undefined],
  ] as const
).map(([what, body, mask]) => ({
  says: `the mask of a PATCH without one ${what}`,
  rules: "PATCH /v1/x body=inner",
  ask: "PATCH /v1/x",
  body,
  arrives: { inner: expect(body), ...(mask !== undefined && { updateMask: mask }) },
}));

function expect(body: { readonly label?: string | null; readonly count?: number }): JsonObject {
  return { ...(body.label && { label: body.label }), ...(body.count && { count: String(body.count) }) };
}

const patch = { rules: "PATCH /v1/{address.city} body=address" } as const;

/** The same, below the top and in the contract's own spelling. */
export const deepMaskRows: readonly Row[] = [
  {
    ...patch,
    says: "the mask of a PATCH names the fields below a message, so that the others stay",
    ask: "PATCH /v1/Bonn",
    body: { at: { label: "x" } },
    arrives: { address: { city: "Bonn", at: { label: "x" } }, updateMask: "at.label" },
  },
  {
    ...patch,
    says: "the mask of a PATCH names a message that is empty as a whole",
    ask: "PATCH /v1/Bonn",
    body: { at: {} },
    arrives: { address: { city: "Bonn", at: {} }, updateMask: "at" },
  },
  {
    ...patch,
    says: "the mask of a PATCH leaves out what the path names",
    ask: "PATCH /v1/Bonn",
    body: { city: "Bonn", at: { count: 0 } },
    arrives: { address: { city: "Bonn", at: {} }, updateMask: "at.count" },
  },
  {
    ...patch,
    says: "a mask that is given stands",
    ask: "PATCH /v1/Bonn?update_mask=at",
    body: { at: { label: "x" } },
    arrives: { address: { city: "Bonn", at: { label: "x" } }, updateMask: "at" },
  },
  {
    says: "a mask is left to the service where the method is no PATCH",
    rules: "PUT /v1/x body=inner",
    ask: "PUT /v1/x",
    body: { label: "x" },
    arrives: { inner: { label: "x" } },
  },
  {
    says: "a mask is left to the service where the body is the whole request",
    rules: "PATCH /v1/x body=*",
    ask: "PATCH /v1/x",
    body: { inner: { label: "x" } },
    arrives: { inner: { label: "x" } },
  },
];
