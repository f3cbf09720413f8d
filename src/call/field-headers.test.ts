import { expect, test } from "vitest";
import { FieldHeaders } from "./field-headers.ts";

/** What both kinds say after the same was done to them; the order of entries is each one's own. */
function said(headers: Headers) {
  return {
    entries: [...headers].sort(),
    keys: [...headers.keys()].sort(),
    values: [...headers.values()].sort(),
    each: (() => {
      const each: string[] = [];
      headers.forEach((value, name) => each.push(`${name}: ${value}`));
      return each.sort();
    })(),
    get: [headers.get("A"), headers.get("set-cookie"), headers.get("none")],
    has: [headers.has("a"), headers.has("X-Ray"), headers.has("none")],
    cookies: headers.getSetCookie(),
  };
}

const deeds: readonly ((headers: Headers) => void)[] = [
  () => {},
  (headers) => headers.set("X-Ray", " \tblanks around\t "),
  (headers) => ["1", "2", "3"].forEach((value) => void headers.append("A", value)),
  (headers) => {
    headers.append("set-cookie", "a=1, still the first");
    headers.append("Set-Cookie", "b=2");
  },
  (headers) => {
    for (const value of ["1", "2"]) headers.append("a", value);
    headers.append("b", "between");
    headers.set("A", "one again");
  },
  (headers) => {
    for (const value of ["1", "2"]) headers.append("a", value);
    headers.delete("A");
    headers.delete("none");
  },
  (headers) => headers.set("a", ""),
  (headers) => headers.set("a", "caf\xe9"),
];

test.each(deeds.map((deed, i) => [i, deed] as const))(
  "whatever is done to it, it says what Headers say (%i)",
  (_, deed) => {
    const [own, platform] = [new FieldHeaders(), new Headers()];
    deed(own);
    deed(platform);
    expect(said(own)).toEqual(said(platform));
    expect([...new Headers(own)]).toEqual([...platform]);
  },
);

test.each([
  ["a name with a blank", "a b", "1"],
  ["an empty name", "", "1"],
  ["a name with a colon", "a:", "1"],
  ["a value with a line break", "a", "1\r\nb: 2"],
  ["a value with a NUL", "a", "1\0"],
  ["a value that is not of bytes", "a", "Łódź"],
])("%s is refused, as by Headers", (_, name, value) => {
  for (const headers of [new FieldHeaders(), new Headers()]) {
    expect(() => headers.set(name, value)).toThrow(TypeError);
    expect(() => headers.append(name, value)).toThrow(TypeError);
    expect([...headers]).toEqual([]);
  }
});

test("it passes for Headers wherever those are asked for", () => {
  const headers = new FieldHeaders(["a", "1"]);
  expect(headers).toBeInstanceOf(Headers);
  expect(new Response(null, { headers }).headers.get("a")).toBe("1");
  expect(new Request("http://a", { headers }).headers.get("a")).toBe("1");
});

test("fields that were given more than once stay apart within", () => {
  const headers = new FieldHeaders(["key-bin", "AP+A"]);
  headers.append("key-bin", "Bw");
  expect(headers.fields).toEqual(["key-bin", "AP+A", "key-bin", "Bw"]);
});
