import type { Row } from "./row.ts";

/** How values stand in a path: RFC 6570 §3.2.2 for one segment, its own encoding for several. */
export const encodingRows: readonly Row[] = [
  ...(
    [
      ["an escaped slash in one segment is a slash", "a%2Fb", "a/b"],
      ["an escaped slash may be written in lower case", "a%2fb", "a/b"],
      ["an escaped space is a space", "a%20b", "a b"],
      ["a plus is a plus", "a+b", "a+b"],
      ["an escaped percent sign is a percent sign", "100%25", "100%"],
      ["a value is decoded once", "a%252Fb", "a%2Fb"],
      ["UTF-8 is decoded", "%C3%BC%F0%9F%A6%89", "ü🦉"],
      ["what needs no escape may have one", "%61%2D%7E", "a-~"],
      ["reserved characters may stand as they are", "a!$&'()*+,;=:@b", "a!$&'()*+,;=:@b"],
      ["dots are no way up", "..%2F..", "../.."],
      ["a zero byte is a character", "a%00b", "a\0b"],
      ["a question mark that is escaped begins no query", "a%3Fb%23c", "a?b#c"],
    ] as const
  ).map(([says, text, name]) => ({ says, rules: "GET /v1/{name}", ask: `GET /v1/${text}`, arrives: { name } })),
  ...(
    [
      ["an escaped slash in several segments stays escaped", "files/a%2Fb", "files/a%2Fb"],
      ["it stays in the case it was written", "files/a%2fb/c%2Fd", "files/a%2fb/c%2Fd"],
      ["a space is decoded in several segments too", "files/a%20b/c", "files/a b/c"],
      ["UTF-8 is decoded in several segments too", "files/%C3%BC/x", "files/ü/x"],
      ["a percent sign before 2F is decoded once in several segments too", "files/a%252Fb", "files/a%2Fb"],
      ["reserved characters are decoded in several segments too", "files/a%3Fb%3A%40", "files/a?b:@"],
    ] as const
  ).map(([says, text, name]) => ({
    says,
    rules: "GET /v1/{name=files/**}",
    ask: `GET /v1/${text}`,
    arrives: { name },
  })),
  {
    says: "one segment below a literal counts as several",
    rules: "GET /v1/{name=shelves/*}",
    ask: "GET /v1/shelves/a%2Fb",
    arrives: { name: "shelves/a%2Fb" },
  },
  {
    says: "a broken escape is refused by the variable's name",
    rules: "GET /v1/{name}",
    ask: "GET /v1/a%zz",
    status: 400,
    message: "name: has a bad percent escape in the path",
  },
  {
    says: "an escape that is no UTF-8 is refused by the variable's name",
    rules: "GET /v1/{name=files/**}",
    ask: "GET /v1/files/%ff",
    status: 400,
    message: "name: has a bad percent escape in the path",
  },
];
