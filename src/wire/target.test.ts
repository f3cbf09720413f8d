import { expect, test } from "vitest";
import { urlOf } from "./target.ts";

const url = (host: string | undefined, target: string | undefined) => urlOf({ scheme: "https", host, target });

test.each([
  ["a", "/v1/users?page_size=5", "https://a/v1/users?page_size=5"],
  ["a:8000", "/", "https://a:8000/"],
  ["[::1]:80", "/x", "https://[::1]:80/x"],
  ["a", "/.well-known/x", "https://a/.well-known/x"],
  ["a", "/x/...", "https://a/x/..."],
  ["a", "/x?to=../y", "https://a/x?to=../y"],
  ["a", '/x?q={"a b"}'.replace(" ", "%20"), "https://a/x?q={%22a%20b%22}"],
  ["a", "http://b/x", "https://b/x"],
  ["a", "HTTP://b?x", "https://b/?x"],
  ["a", "//b/x", "https://a//b/x"],
  ["a", "*", "https://a/*"],
])("at %s, %s is %s", (host, target, expected) => {
  expect(url(host, target)).toBe(expected);
});

test.each([
  [undefined, "/x"],
  ["", "/x"],
  ["a/b", "/x"],
  ["u@a", "/x"],
  ["a b", "/x"],
  ["a\\b", "/x"],
  ["a:port", "/x"],
  ["a", undefined],
  ["a", ""],
  ["a", "x"],
  ["a", ".b/x"],
  ["a", "ftp://b/x"],
  ["a", "http:///x"],
  ["a", "http://u@b/x"],
  ["a", "http://b/../x"],
  ["a", "/.."],
  ["a", "/./x"],
  ["a", "/x/%2E."],
  ["a", "/x/%2e%2E/y"],
  ["a", "/x\\y"],
  ["a", "/x#y"],
  ["a", "/x y"],
])("at %s, %s is nothing that means the same to everybody", (host, target) => {
  expect(url(host, target)).toBeUndefined();
});
