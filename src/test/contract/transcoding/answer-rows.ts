import type { Row } from "./row.ts";

const everything = {
  name: "",
  smallInt: 0,
  longInt: "0",
  flag: false,
  ratio: 0,
  data: "",
  kind: "KIND_UNSPECIFIED",
  tags: [],
  kinds: [],
  counts: {},
  inners: [],
  constructor: "",
  ReNamed: "0",
  longInts: [],
  parts: {},
  flagsByNumber: {},
  moments: [],
  shortRatio: 0,
  unsigned: 0,
  fixed: "0",
};

type Answered = readonly [says: string, responseBody: string, replies: Row["replies"], answers: unknown];

const answered: readonly Answered[] = [
  ["a response without response_body is the whole message", "", { name: "x" }, { ...everything, name: "x" }],
  ["a response_body is that field alone", "inner", { inner: { label: "x" } }, { label: "x", count: "0" }],
  [
    "a response_body that is repeated is an array",
    "inners",
    { inners: [{ label: "x" }] },
    [{ label: "x", count: "0" }],
  ],
  ["a response_body that is a map is an object", "counts", { counts: { a: "1" } }, { a: "1" }],
  ["a response_body that is a scalar is its JSON", "long_int", { longInt: "7" }, "7"],
  ["a response_body that is an enum is its name", "kind", { kind: "KIND_SMALL" }, "KIND_SMALL"],
  ["a response_body that is a Struct is its JSON", "extra", { extra: { a: [1] } }, { a: [1] }],
  [
    "a response_body that is a timestamp is its text",
    "created_at",
    { createdAt: "2026-01-31T12:00:00Z" },
    "2026-01-31T12:00:00Z",
  ],
  ["a response_body that is a wrapper is what it wraps", "nick_name", { nickName: "x" }, "x"],
  ["a response_body that the contract names otherwise is found", "renamed", { ReNamed: "7" }, "7"],
  ["a message that is not set is {}", "inner", {}, {}],
  ["a list that is not set is []", "inners", {}, []],
  ["a map that is not set is {}", "counts", {}, {}],
  ["a scalar that is not set is its default", "long_int", {}, "0"],
  ["a wrapper that is not set is null", "nick_name", {}, null],
  ["a timestamp that is not set is null", "created_at", {}, null],
  ["a member of a oneof that is not set is null", "left", {}, null],
];

/** HttpRule.response_body. */
export const answerRows: readonly Row[] = answered.map(([says, responseBody, replies, answers]) => ({
  says,
  rules: `GET /v1/x${responseBody && ` response_body=${responseBody}`}`,
  ask: "GET /v1/x",
  ...(replies !== undefined && { replies }),
  answers,
}));
