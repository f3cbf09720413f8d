import type { DescService, JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Binding } from "../binding.ts";
import { isTree } from "../fields.ts";
import type { JsonOutput } from "../response.ts";
import { rpcBinding } from "../rpc-routes.ts";
import { bindingsOf, takesOneRequest } from "../rules.ts";
import { commentOf } from "./comments.ts";
import { failureResponses, failureSchemas } from "./failures.ts";
import { type Documented, headerParameters, operation } from "./operation.ts";
import { documentedPath, inWordsOf, shapeOf } from "./paths.ts";
import { bearer } from "./policies.ts";
import { described, Schemas } from "./schemas.ts";

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
  const paths = pathItems(sorted, schemas);
  const document = {
    openapi: "3.1.1",
    info: infoOf(options),
    servers: (options.servers ?? ["/"]).map((url) => ({ url })),
    tags: sorted.map(tagOf),
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

/** Paths of one shape become one path, in the words of the one whose template is the plainest. */
function pathItems(services: readonly DescService[], schemas: Schemas): JsonObject {
  const all = services.flatMap(documentedBindings);
  const words = new Map<string, Documented>();
  for (const each of all) {
    const shape = shapeOf(each.path);
    const best = words.get(shape);
    if (best === undefined || lengthOf(each) < lengthOf(best)) words.set(shape, each);
  }
  const items = new Map<string, JsonObject>();
  for (const each of all) {
    const path = inWordsOf(words.get(shapeOf(each.path))?.path ?? each.path, each.path);
    const item = items.get(path.path) ?? {};
    items.set(path.path, item);
    place(item, each.binding, operation({ ...each, path }, schemas));
  }
  return Object.fromEntries(items);
}

function lengthOf({ path }: Documented): number {
  return path.path.length;
}

/** A rule for any method stands under each that has no rule of its own; OpenAPI has no room for made-up methods. */
function place(item: JsonObject, { httpMethod, body }: Binding, made: JsonObject): void {
  const name = httpMethod === "*" ? (body.kind === "none" ? "GET" : "POST") : httpMethod;
  const any = httpMethod === "*" ? { "x-heddle-any-method": true } : {};
  if (itemMethods.has(name)) item[name.toLowerCase()] ??= { ...made, ...any };
  else item["x-heddle-methods"] = { ...(item["x-heddle-methods"] as JsonObject | undefined), [name]: made };
}

function documentedBindings(service: DescService): Documented[] {
  const bindings = bindingsOf(service);
  return service.methods.filter(takesOneRequest).flatMap((method) => {
    const own = bindings.filter((binding) => binding.method === method);
    const all = own.length > 0 ? own : [rpcBinding(method)];
    return all.map((binding, index) => ({ binding, path: documentedPath(binding), index }));
  });
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
