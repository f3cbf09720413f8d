import { expect, test } from "vitest";
import { fillTemplate, parseTemplate } from "./template.ts";

const good: readonly (readonly [template: string, shape: string, variables: string, verb: string])[] = [
  ["/v1/users", "v1 users", "", ""],
  ["/v1/users/{id}", "v1 users *", "id@2-3", ""],
  ["/v1/users/{user.id}", "v1 users *", "user.id@2-3", ""],
  ["/v1/orders/{id}:cancel", "v1 orders *", "id@2-3", "cancel"],
  ["/v1/products:batchGet", "v1 products", "", "batchGet"],
  ["/v1/{name=shelves/*}", "v1 shelves *", "name@1-3", ""],
  ["/v1/{name=shelves/*/books/**}:move", "v1 shelves * books **", "name@1-end", "move"],
  ["/v1/{a}/x/{b}", "v1 * x *", "a@1-2 b@3-4", ""],
  ["/files/{path=**}", "files **", "path@1-end", ""],
  ["/v1/*/things/**", "v1 * things **", "", ""],
  ["/a%20b", "a b", "", ""],
];

test.each(good)("%s is read as its segments, variables and verb", (source, shape, variables, verb) => {
  const template = parseTemplate(source);
  const text = { literal: "", any: "*", rest: "**" };
  expect(template.segments.map((s) => (s.kind === "literal" ? s.text : text[s.kind])).join(" ")).toBe(shape);
  expect(template.variables.map((v) => `${v.path}@${v.start}-${v.end ?? "end"}`).join(" ")).toBe(variables);
  expect(template.verb).toBe(verb);
});

const bad: readonly (readonly [template: string, reason: string])[] = [
  ["", 'expected "/" at position 0'],
  ["v1/users", 'expected "/" at position 0'],
  ["/", "expected a segment at position 1"],
  ["/v1/", "expected a segment at position 4"],
  ["/v1//users", "expected a segment at position 4"],
  ["/v1/{id", 'expected "}" at position 7'],
  ["/v1/{}", "expected a field path at position 5"],
  ["/v1/{1d}", "expected a field path at position 5"],
  ["/v1/{a={b}}", "expected a segment"],
  ["/v1/{a}/{a}", '"a" is named twice'],
  ["/v1/**/x", 'nothing may follow "**"'],
  ["/v1/{a=**}/{b}", 'nothing may follow "**"'],
  ["/v1/x-{id}", 'unexpected "{"'],
  ["/v1/{id}x", 'unexpected "x"'],
  ["/v1/users:", "expected a verb"],
  ["/v1/users:a:b", 'unexpected ":"'],
  ["/v1/us ers", 'unexpected " "'],
  ["/v1/%zz", "a bad percent escape"],
];

test.each(bad)('"%s" is refused: %s', (source, reason) => {
  expect(() => parseTemplate(source)).toThrow(reason);
});

test("a filled template escapes what a segment cannot hold, and keeps slashes only where segments are many", () => {
  const fill = (source: string, value: string) => fillTemplate(parseTemplate(source), () => value);
  expect(fill("/v1/users/{user.id}", "a/b c?ü")).toBe("/v1/users/a%2Fb%20c%3F%C3%BC");
  expect(fill("/v1/{name=shelves/*}:move", "shelves/a b")).toBe("/v1/shelves/a%20b:move");
  expect(fill("/v1/users/{id}:to%20sleep", "7")).toBe("/v1/users/7:to%20sleep");
  expect(fill("/files/{path=**}", "a/b c")).toBe("/files/a/b%20c");
  expect(fill("/v1/users/{id}", "\ud800")).toBe("/v1/users/%EF%BF%BD");
});
