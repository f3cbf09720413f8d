import { readFileSync } from "node:fs";
import type { JsonObject } from "@bufbuild/protobuf";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { UserService } from "../../../../gen/shop/user/v1/user_pb.ts";
import { type OpenApiDocument, openApiDocument } from "../../../rest/openapi/document.ts";
import { buildDescriptors, servicesIn } from "./build.ts";

const nasty = readFileSync(`${import.meta.dirname}/nasty.proto`, "utf8");
const set = buildDescriptors({ "nasty/v1/nasty.proto": nasty });
const all = servicesIn(set, "nasty.", "shop.", "heddle.");
const document = openApiDocument(all, { title: "Everything", version: "2.1", servers: ["https://api.example.org"] });

/** JSON as it is looked at here: whatever is looked for may be there. */
interface Json {
  readonly [key: string]: Json | undefined;
}

/** The part of a document at these keys. */
function at(from: OpenApiDocument | JsonObject, ...keys: readonly string[]): Json {
  const found = keys.reduce<Json | undefined>((json, key) => json?.[key], from as unknown as Json);
  return found ?? expect.fail(`nothing at ${keys.join(" › ")}`);
}

function parametersOf(path: string, method: string): Json[] {
  return (at(document, "paths", path, method).parameters ?? []) as unknown as Json[];
}

/** Every operation, by its id. */
function operations(of: OpenApiDocument): readonly Json[] {
  const items = Object.values(of.paths) as unknown as Json[];
  const direct = items.flatMap((item) =>
    Object.entries(item).flatMap(([key, op]) => (key.startsWith("x-") ? [] : [op])),
  );
  const others = items.flatMap((item) => Object.values(item["x-heddle-methods"] ?? {}));
  return [...direct, ...others].filter((op) => op !== undefined);
}

test("a validator that others wrote accepts the document of every contract there is", async () => {
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  expect(document).toMatchObject({
    openapi: "3.1.1",
    info: { title: "Everything", version: "2.1" },
    servers: [{ url: "https://api.example.org" }],
  });
});

test("the same validator refuses one that is wrong", async () => {
  const wrong = { ...structuredClone(document), paths: { "/v1/x": { get: { parameters: [{ name: "x" }] } } } };
  expect(await new Validator().validate(wrong)).toMatchObject({ valid: false });
});

test("no services are a document too, and so are services whose descriptors have no comments", async () => {
  expect(await new Validator().validate(openApiDocument([]))).toEqual({ valid: true });
  const bare = openApiDocument([UserService]);
  expect(await new Validator().validate(structuredClone(bare))).toEqual({ valid: true });
  expect(at(bare, "paths", "/v1/users/{id}", "get").summary).toBe("GetUser");
});

test("every operation has an id of its own, and the order of services changes nothing", () => {
  const ids = operations(document).map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const again = openApiDocument([...all].reverse(), {
    title: "Everything",
    version: "2.1",
    servers: ["https://api.example.org"],
  });
  expect(JSON.stringify(again)).toBe(JSON.stringify(document));
  const alone = openApiDocument(servicesIn(set, "shop.user.v1"));
  const idOf = (of: OpenApiDocument) => at(of, "paths", "/v1/users/{id}", "get").operationId;
  expect([idOf(alone), idOf(document)]).toEqual(Array(2).fill("shop_user_v1_UserService_GetUser"));
});

test("versions of a service stand side by side", () => {
  const schemaAt = (path: string) =>
    at(document, "paths", path, "get", "responses", "200", "content", "application/json", "schema").$ref;
  expect(schemaAt("/v1/users/{id}")).toBe("#/components/schemas/shop.user.v1.User");
  expect(schemaAt("/v2/users/{id}")).toBe("#/components/schemas/shop.user.v2.User");
});

test("what is deprecated is told to be, since when, until when, and where its successor is", () => {
  const operationsAt = (path: string) => at(document, "paths", path);
  const { patch, get } = operationsAt("/v1/users/{id}");
  expect(patch).toMatchObject({ deprecated: true });
  expect(String(patch?.description)).toContain("**Deprecated** since 2026-12-01, and may be gone after 2027-12-01");
  expect(String(patch?.description)).toContain("Its successor is at `/v2/users`.");
  expect(get).not.toHaveProperty("deprecated");
  expect(operationsAt("/v2/users/{id}").patch).not.toHaveProperty("deprecated");
});

test("the plain paths under /api are told of, and not listed", () => {
  expect(Object.keys(document.paths).filter((path) => path.startsWith("/api"))).toEqual([]);
  expect(String(at(document, "info").description)).toContain("`/api`");
});

describe("paths", () => {
  test("a variable of several segments is a blank for each of them, and a verb stays", () => {
    const nastyPaths = Object.keys(openApiDocument(servicesIn(set, "nasty.")).paths);
    expect(nastyPaths).toEqual([
      "/v1/shelves/{shelf}/books/{book}",
      "/v1/books/{book.isbn}",
      "/v1/any/{any}/of/{name}",
      "/v1/shelves/{shelf}/books",
      "/v1/shelves/{shelf}/books/{book}:archive",
      "/v1/books/{filter.isbn}:read",
      "/v1/whatever",
      "/nasty.v1.NastyService/Echo",
    ]);
    expect(
      parametersOf("/v1/shelves/{shelf}/books/{book}", "get").filter((each) => String(each.in) === "path"),
    ).toEqual([
      {
        name: "shelf",
        in: "path",
        required: true,
        description: "A part of `name`.",
        schema: { type: "string", minLength: 1 },
      },
      {
        name: "book",
        in: "path",
        required: true,
        description: "A part of `name`.",
        schema: { type: "string", minLength: 1 },
      },
    ]);
  });

  test("bindings of one shape are one path, whatever their variables are called", () => {
    const item = at(document, "paths", "/v1/books/{book.isbn}");
    expect(Object.keys(item).sort()).toEqual(["get", "patch", "x-heddle-methods"]);
    for (const method of ["get", "patch"]) {
      const [first] = parametersOf("/v1/books/{book.isbn}", method);
      expect(first).toMatchObject({ name: "book.isbn", in: "path", schema: { pattern: "^[0-9]{13}$" } });
    }
    expect(at(item as JsonObject, "x-heddle-methods", "PURGE").operationId).toBe("nasty_v1_NastyService_PurgeBook");
    expect(at(document, "paths", "/v1/whatever", "get")).toMatchObject({ "x-heddle-any-method": true });
  });

  test("every blank of a path has its parameter, and the other way round", () => {
    for (const [path, item] of Object.entries(document.paths)) {
      const blanks = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name).sort();
      for (const method of Object.keys(item as object).filter((key) => !key.startsWith("x-"))) {
        const named = parametersOf(path, method).filter((each) => String(each.in) === "path");
        expect(named.map(({ name }) => String(name)).sort(), `${method} ${path}`).toEqual(blanks);
      }
    }
  });
});

describe("requests", () => {
  test("what path and body leave comes in the query: nested, repeated, of a map", () => {
    const query = parametersOf("/v1/shelves/{shelf}/books/{book}", "get").filter((each) => String(each.in) === "query");
    expect(query.map(({ name }) => name)).toEqual([
      "filter.isbn",
      "filter.rating",
      "filter.kinds",
      "filter.lent",
      "seen",
      "labels",
    ]);
    const byName = Object.fromEntries(query.map((each) => [String(each.name), each]));
    expect(byName["filter.rating"]?.schema).toEqual({ type: "number", format: "double", minimum: 0, maximum: 5 });
    expect(byName["filter.lent"]?.schema).toEqual({ type: "boolean" });
    expect(byName.seen).toMatchObject({ style: "form", explode: true, schema: { items: { format: "date-time" } } });
    expect(byName.labels).toMatchObject({ style: "deepObject", schema: { additionalProperties: { format: "int64" } } });
  });

  test("a body is the message without what its path gives, or the field that it is", () => {
    const cancel = at(document, "paths", "/v1/orders/{id}:cancel", "post", "requestBody");
    expect(Object.keys(at(cancel as JsonObject, "content", "application/json", "schema", "properties"))).toEqual([
      "reason",
      "requestId",
    ]);
    const put = at(document, "paths", "/v1/books/{book.isbn}", "patch", "requestBody");
    expect(put.required).toBe(true);
    const fields = at(put as JsonObject, "content", "application/json", "schema", "properties");
    expect(Object.keys(fields)).toEqual(["title", "price", "before"]); // the path has what the body would need
    const create = at(document, "paths", "/v1/orders", "post", "requestBody", "content", "application/json", "schema");
    expect(create.$ref).toBe("#/components/schemas/shop.order.v1.CreateOrderRequest");
    const request = at(document, "components", "schemas", "shop.order.v1.CreateOrderRequest");
    expect(request).toMatchObject({ required: ["userId", "items"], additionalProperties: false });
  });

  test("what names itself is said to be safe to send again with its id, and how often the gateway does so", () => {
    const made = at(document, "paths", "/v1/orders", "post");
    expect(made.description).toContain(
      "**Repeats**: It is safe to send again with the same `requestId`, which gets the first answer. The gateway tries up to 3 times itself.",
    );
    const removed = at(document, "paths", "/v1/users/{id}", "delete");
    expect(JSON.stringify(removed.parameters)).toContain('"name":"requestId"');
  });

  test("a POST that changes something takes an Idempotency-Key, and no other", () => {
    const takes = operations(document).filter(({ parameters }) =>
      JSON.stringify(parameters ?? []).includes("IdempotencyKey"),
    );
    expect(takes.map(({ operationId }) => operationId)).toEqual(
      expect.arrayContaining(["shop_order_v1_OrderService_CreateOrder", "shop_user_v2_UserService_CreateUser"]),
    );
    expect(
      takes.map(({ operationId }) => String(operationId)).filter((id) => /Get|List|Cancel|Watch/.test(id)),
    ).toEqual([]);
  });
});

describe("answers", () => {
  test("what is created is answered by 201 and where it is", () => {
    const created = at(document, "paths", "/v1/shelves/{shelf}/books", "post", "responses");
    expect(Object.keys(created)).toEqual(["201", "400", "401", "403", "422", "default"]);
    expect(at(created as JsonObject, "201", "headers", "Location")).toMatchObject({
      description: "Where it is: /v1/books/{book.isbn}",
    });
  });

  test("a stream comes as lines, as events or as an array", () => {
    const read = at(document, "paths", "/v1/books/{filter.isbn}:read", "get", "responses", "200", "content");
    expect(Object.keys(read)).toEqual(["application/x-ndjson", "text/event-stream", "application/json"]);
    expect(at(read as JsonObject, "application/json", "schema")).toEqual({
      type: "array",
      items: { anyOf: [{ $ref: "#/components/schemas/nasty.v1.Line" }, { $ref: "#/components/schemas/StreamError" }] },
    });
  });

  test("errors are a status or a problem; those that the policy brings and the comment names stand apart", () => {
    const get = at(document, "paths", "/v1/shelves/{shelf}/books/{book}", "get", "responses");
    expect(Object.keys(get)).toEqual(["200", "400", "404", "429", "default"]);
    expect(at(document, "components", "responses", "NotFound", "content")).toEqual({
      "application/json": { schema: { $ref: "#/components/schemas/google.rpc.Status" } },
      "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
    });
  });
});

describe("policies", () => {
  test("access is security: scopes, any token, or nobody's business", () => {
    const security = (path: string, method: string) => at(document, "paths", path, method).security;
    expect(security("/v1/shelves/{shelf}/books", "post")).toEqual([{ bearer: ["nasty:read", "nasty:write"] }]);
    expect(security("/v1/books/{filter.isbn}:read", "get")).toEqual([{ bearer: ["nasty:read"] }]);
    expect(security("/v1/shelves/{shelf}/books/{book}:archive", "post")).toEqual([{ bearer: [] }]);
    expect(security("/v1/shelves/{shelf}/books/{book}", "get")).toEqual([]);
    expect(at(document, "components", "securitySchemes", "bearer")).toMatchObject({ type: "http", scheme: "bearer" });
  });

  test("time, repeats, limits and caching are told to people and to programs", () => {
    const get = at(document, "paths", "/v1/shelves/{shelf}/books/{book}", "get");
    expect(get).toMatchObject({
      "x-heddle-timeout": "0.25s",
      "x-heddle-idempotency": "no-side-effects",
      "x-heddle-retry": { maxAttempts: 3 },
      "x-heddle-rate-limit": { calls: 10, period: "60s", burst: 3 },
      "x-heddle-cache": { maxAge: "30s", private: true },
    });
    const said = String(get.description);
    for (const word of ["anyone", "0.25 s", "safe to send again", "10 calls in 60 s", "30 s old"]) {
      expect(said).toContain(word);
    }
  });

  test("what is deprecated says so: methods, fields, values of enums", () => {
    expect(at(document, "paths", "/v1/shelves/{shelf}/books/{book}:archive", "post").deprecated).toBe(true);
    expect(at(document, "components", "schemas", "nasty.v1.Everything", "properties", "old").deprecated).toBe(true);
    const kind = at(document, "components", "schemas", "nasty.v1.Kind");
    expect(String(kind.description)).toContain("`KIND_PULP`: Deprecated. Forgotten.");
  });
});

describe("comments", () => {
  test("the first sentence is the summary, and all of it the description", () => {
    const get = at(document, "paths", "/v1/shelves/{shelf}/books/{book}", "get");
    expect(get.summary).toBe("Returns a book, wherever it stands");
    expect(String(get.description)).toContain('A second paragraph, with <b>HTML</b> & "quotes".');
    const [tag] = (document as unknown as { tags: Json[] }).tags.filter(({ name }) => String(name).startsWith("nasty"));
    expect(String(tag?.description)).toMatch(/^Everything that a contract can say at once\.\nIt has .* `Tell`\.$/s);
  });

  test("fields, messages, enums and values are described in their author's words", () => {
    const schemas = at(document, "components", "schemas");
    expect(at(schemas as JsonObject, "nasty.v1.Book").description).toBe("A book.");
    expect(at(schemas as JsonObject, "nasty.v1.Book", "properties", "title").description).toBe("What it is called.");
    expect(at(schemas as JsonObject, "nasty.v1.Everything.Inner", "properties", "deep").description).toBe("Deep.");
    expect(at(schemas as JsonObject, "nasty.v1.Everything.Inner.Deep").description).toContain("Nested deeper.");
    const items = at(schemas as JsonObject, "shop.order.v1.CreateOrderRequest", "properties", "items");
    expect(String(items.description)).toContain("Rule `items.sku.unique`: must name each sku once.");
  });
});
