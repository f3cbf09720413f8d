import type { DescService, JsonObject, JsonValue } from "@bufbuild/protobuf";
import { isTree } from "../fields.ts";
import type { JsonOutput } from "../response/response.ts";
import { rpcBinding } from "../routes/rpc-routes.ts";
import { bindingsOf, takesOneRequest } from "../routes/rules.ts";
import { commentOf } from "./comments.ts";
import { type ComposedPath, composedOperation, composedPathOf, composedTag } from "./composed.ts";
import { described } from "./described.ts";
import { failureSchemas } from "./failure-schemas.ts";
import { failureResponses } from "./failures.ts";
import { headerParameters, operation } from "./operation.ts";
import { type DocumentedPath, documentedPath, inWordsOf, shapeOf } from "./paths.ts";
import { bearer } from "./policies.ts";
import { Schemas } from "./schemas.ts";

/** What a document says beyond what contracts do. */
export interface OpenApiOptions {
  /** Default "API". */
  readonly title?: string;
  /** The version of the API as a whole. Default "1". */
  readonly version?: string;
  /** Stands before what is said of the API anyway. */
  readonly description?: string;
  /** Where the API is. Default: where the document is. */
  readonly servers?: readonly string[];
  /** What is composed of several calls. Default: nothing. */
  readonly composed?: readonly ComposedPath[];
  /** How answers are written, where that is not as protojson has it. */
  readonly json?: JsonOutput;
}

/** An OpenAPI document, as JSON. */
export type OpenApiDocument = JsonObject & { readonly openapi: string; readonly paths: JsonObject };

/**
 * Describes the services' REST API in OpenAPI 3.1: https://spec.openapis.org/oas/v3.1.1.html
 *
 * Everything in it comes from the contracts: paths from google.api.http, descriptions from comments (where descriptors
 * carry them), constraints from protovalidate, security and promises from the policy. The same contracts, in any order,
 * give the same document.
 */
export function openApiDocument(services: readonly DescService[], options: OpenApiOptions = {}): OpenApiDocument {
  const sorted = [...services].sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
  const schemas = new Schemas(options.json);
  const { composed = [] } = options;
  const paths = pathItems([...sorted.flatMap(documentedBindings), ...composed.map(documentedComposed)], schemas);
  const document = {
    openapi: "3.1.1",
    info: infoOf(options),
    servers: (options.servers ?? ["/"]).map((url) => ({ url })),
    tags: [...sorted.map(tagOf), ...(composed.length > 0 ? [composedTag] : [])],
    paths,
    components: {
      schemas: { ...schemas.components(), ...failureSchemas() },
      responses: failureResponses(),
      parameters: headerParameters,
      securitySchemes: {
        [bearer]: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "An access token (RFC 6750)." },
      },
    },
  };
  return resolved(document, schemas) as OpenApiDocument;
}

function infoOf({ title = "API", version, description = "" }: OpenApiOptions): JsonObject {
  return { title, version: version || "1", description: [description, aboutAll].filter(Boolean).join("\n\n") };
}

const aboutAll = `JSON is the [Protobuf JSON mapping](https://protobuf.dev/programming-guides/json/): names in lowerCamelCase,
64-bit integers as strings. Requests may spell names in snake_case as well, and write 64-bit integers as numbers.

Every path under \`/v1\` is served under \`/api\` too, in a plainer JSON: snake_case, 64-bit integers as numbers, enums in
short lower case (\`pending\` for \`ORDER_STATUS_PENDING\`). Those paths are not listed here a second time.

Methods without a path of their own are called by \`POST /package.Service/Method\`. All methods are served over gRPC,
gRPC-Web and Connect on the same port.`;

function tagOf(service: DescService): JsonObject {
  const elsewhere = service.methods.filter((method) => !takesOneRequest(method)).map(({ name }) => `\`${name}\``);
  const apart = `Over a WebSocket, and so not in this document: ${elsewhere.join(", ")}.`;
  return { name: service.typeName, ...described([commentOf(service), elsewhere.length > 0 ? apart : ""]) };
}

const itemMethods = new Set(["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]);

/** An operation in the place where it is to stand. */
interface Entry {
  readonly path: DocumentedPath;
  /** "*" for any. */
  readonly httpMethod: string;
  readonly readsBody: boolean;
  make(path: DocumentedPath, schemas: Schemas): JsonObject;
}

/** Paths of one shape become one path, in the words of the one whose template is the plainest. */
function pathItems(entries: readonly Entry[], schemas: Schemas): JsonObject {
  const words = new Map<string, DocumentedPath>();
  for (const { path } of entries) {
    const best = words.get(shapeOf(path));
    if (best === undefined || path.path.length < best.path.length) words.set(shapeOf(path), path);
  }
  const items = new Map<string, JsonObject>();
  for (const entry of entries) {
    const path = inWordsOf(words.get(shapeOf(entry.path)) ?? entry.path, entry.path);
    const item = items.get(path.path) ?? {};
    items.set(path.path, item);
    place(item, entry, entry.make(path, schemas));
  }
  return Object.fromEntries(items);
}

/** A rule for any method stands under one that is likely; OpenAPI has no room for made-up methods. Who came first stays. */
function place(item: JsonObject, { httpMethod, readsBody }: Entry, made: JsonObject): void {
  const name = httpMethod === "*" ? (readsBody ? "POST" : "GET") : httpMethod;
  const any = httpMethod === "*" ? { "x-heddle-any-method": true } : {};
  if (itemMethods.has(name)) item[name.toLowerCase()] ??= { ...made, ...any };
  else item["x-heddle-methods"] = { ...(item["x-heddle-methods"] as JsonObject | undefined), [name]: made };
}

function documentedBindings(service: DescService): readonly Entry[] {
  const bindings = bindingsOf(service);
  return service.methods.filter(takesOneRequest).flatMap((method) => {
    const own = bindings.filter((binding) => binding.method === method);
    const all = own.length > 0 ? own : [rpcBinding(method)];
    return all.map((binding, index) => ({
      path: documentedPath(binding),
      httpMethod: binding.httpMethod,
      readsBody: binding.body.kind !== "none",
      make: (path: DocumentedPath, schemas: Schemas) => operation({ binding, path, index }, schemas),
    }));
  });
}

function documentedComposed(composed: ComposedPath): Entry {
  return {
    path: composedPathOf(composed),
    httpMethod: "GET",
    readsBody: false,
    make: (path, schemas) => composedOperation(composed, path, schemas),
  };
}

/** The document with every reference leading to where its schema came to stand. */
function resolved(json: JsonValue, schemas: Schemas): JsonValue {
  if (Array.isArray(json)) return json.map((item) => resolved(item, schemas));
  if (!isTree(json)) return json;
  const entries = Object.entries(json).map(([key, value]) => {
    const isReference = key === "$ref" && typeof value === "string";
    return [key, isReference ? schemas.resolve(value) : resolved(value, schemas)] as const;
  });
  return Object.fromEntries(entries);
}
