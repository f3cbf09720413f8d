import { expect, test } from "vitest";
import { parseTemplate } from "./template.ts";
import { RouteTrie } from "./trie.ts";

function trieOf(...routes: readonly string[]): RouteTrie<string> {
  const trie = new RouteTrie<string>();
  for (const route of routes) {
    const [method = "", path = ""] = route.split(" ");
    trie.insert(method, parseTemplate(path), route);
  }
  return trie;
}

function winner(trie: RouteTrie<string>, method: string, path: string): string | undefined {
  const found = trie.find(method, path);
  return found?.kind === "found" ? found.value : found && `allow ${found.allow.join(",")}`;
}

const trie = trieOf(
  "GET /v1/users",
  "POST /v1/users",
  "GET /v1/users/{id}",
  "DELETE /v1/users/{id}",
  "GET /v1/users/me",
  "POST /v1/orders/{id}:cancel",
  "GET /v1/orders/{id}",
  "GET /v1/{name=shelves/*}",
  "GET /v1/{any}/fixed",
  "GET /files/{path=**}",
  "GET /files/{path=**}:stat",
  "GET /files/exact",
  "* /anything",
);

const cases: readonly (readonly [method: string, path: string, winner: string | undefined])[] = [
  ["GET", "/v1/users", "GET /v1/users"],
  ["GET", "/v1/users/42", "GET /v1/users/{id}"],
  ["GET", "/v1/users/me", "GET /v1/users/me"],
  ["GET", "/v1/users/%6De", "GET /v1/users/me"],
  ["DELETE", "/v1/users/me", "DELETE /v1/users/{id}"],
  ["HEAD", "/v1/users/42", "GET /v1/users/{id}"],
  ["PUT", "/v1/users", "allow GET,HEAD,POST"],
  ["PUT", "/v1/users/me", "allow DELETE,GET,HEAD"],
  ["GET", "/v1/users/", undefined],
  ["GET", "/v1//42", undefined],
  ["GET", "/v1/users/42/more", undefined],
  ["GET", "/v1/users/fixed", "GET /v1/users/{id}"],
  ["GET", "/v1/other/fixed", "GET /v1/{any}/fixed"],
  ["POST", "/v1/orders/1:cancel", "POST /v1/orders/{id}:cancel"],
  ["GET", "/v1/orders/1:cancel", "allow POST"],
  ["GET", "/v1/orders/1:other", "GET /v1/orders/{id}"],
  ["GET", "/v1/orders/user:8001", "GET /v1/orders/{id}"],
  ["GET", "/v1/users/x:cancel", "GET /v1/users/{id}"],
  ["GET", "/v1/orders/:cancel", "GET /v1/orders/{id}"],
  ["POST", "/v1/orders/1%3Acancel", "allow GET,HEAD"],
  ["GET", "/v1/shelves/3", "GET /v1/{name=shelves/*}"],
  ["GET", "/files/a/b/c", "GET /files/{path=**}"],
  ["GET", "/files", "GET /files/{path=**}"],
  ["GET", "/files/a/b:stat", "GET /files/{path=**}:stat"],
  ["GET", "/files/exact", "GET /files/exact"],
  ["GET", "/files/exact/not", "GET /files/{path=**}"],
  ["PURGE", "/anything", "* /anything"],
  ["GET", "/", undefined],
  ["GET", "", undefined],
  ["GET", "/v1/%zz/x", undefined],
];

test.each(cases)("%s %s goes to %s", (method, path, expected) => {
  expect(winner(trie, method, path)).toBe(expected);
});

test("a place that is taken stays with its owner, however its variable is called", () => {
  const taken = trieOf("GET /v1/users/{id}");
  expect(taken.insert("GET", parseTemplate("/v1/users/{name}"), "other")).toBe("GET /v1/users/{id}");
  expect(winner(taken, "GET", "/v1/users/1")).toBe("GET /v1/users/{id}");
});

test("finding a route visits as many nodes among 2,000 routes as among 2", () => {
  const visitsOf = (routes: number) => {
    const many = trieOf(...Array.from({ length: routes }, (_, i) => `GET /v1/things${i}/{id}`));
    const get = Map.prototype.get;
    let visits = 0;
    Map.prototype.get = function (this: Map<unknown, unknown>, key: unknown) {
      visits++;
      return get.call(this, key);
    };
    try {
      expect(winner(many, "GET", "/v1/things1/42")).toBe("GET /v1/things1/{id}");
    } finally {
      Map.prototype.get = get;
    }
    return visits;
  };
  expect(visitsOf(2_000)).toBe(visitsOf(2));
});
