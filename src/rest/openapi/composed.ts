import type { DescField, DescMethodUnary, JsonObject } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import { methodPolicy } from "../../call/policy.ts";
import { dottedName } from "../routes/binding.ts";
import { parseTemplate } from "../routes/template.ts";
import { described } from "./described.ts";
import { failureReferences } from "./failures.ts";
import { pathParameters } from "./parameters.ts";
import { type DocumentedPath, documentedPath } from "./paths.ts";
import { bearer } from "./policies.ts";
import type { Schemas } from "./schemas.ts";

/** A path that is answered with what several calls bring, as far as a document tells of it. */
export interface ComposedPath {
  /** As google.api.http writes it: "/v1/users/{id}/overview". */
  readonly path: string;
  readonly description: string;
  readonly timeoutMs: number;
  /** Parameters of the query string that it takes. */
  readonly query: readonly string[];
  readonly parts: readonly ComposedPart[];
}

/** One member of the answer. */
export interface ComposedPart {
  /** In lower snake_case. */
  readonly name: string;
  /** Without it there is no answer. */
  readonly required: boolean;
  /** Holds the answers of several calls. */
  readonly many: boolean;
  /** `undefined`, it is not known yet. */
  readonly method: DescMethodUnary | undefined;
  /** The field of its answer that is shown; `undefined` for all of it. */
  readonly show: DescField | undefined;
}

/** The path as the document has it. */
export function composedPathOf({ path }: ComposedPath): DocumentedPath {
  const template = parseTemplate(path);
  const variables = template.variables.map((variable) => ({ ...variable, fields: [] }));
  return documentedPath({ template, variables }, (variable) => protoCamelCase(variable.path));
}

/** The operation that a composed path is: always a GET. */
export function composedOperation(composed: ComposedPath, path: DocumentedPath, schemas: Schemas): JsonObject {
  const query = composed.query.map((name) => ({ name: protoCamelCase(name), in: "query", schema: { type: "string" } }));
  const parameters = [...pathParameters(path, schemas), ...query];
  const about = [composed.description, madeOf(composed), `**Timeout**: ${composed.timeoutMs / 1_000} s for all of it.`];
  return {
    tags: [composedTag.name],
    summary: composed.description.replace(/\.$/, "") || `GET ${composed.path}`,
    ...described(about),
    operationId: `composed${composed.path.replaceAll(/[^A-Za-z0-9]+/g, "_").replace(/_$/, "")}`,
    ...(parameters.length > 0 && { parameters }),
    responses: {
      "200": { description: "What has come.", content: { "application/json": { schema: answer(composed, schemas) } } },
      ...failureReferences(["400", "404", "503", "504"]),
    },
    ...security(composed),
    "x-heddle-timeout": `${composed.timeoutMs / 1_000}s`,
  };
}

/** Under which composed paths stand. */
export const composedTag = { name: "Composed", description: "Answers that are made of several calls." } as const;

function madeOf({ parts }: ComposedPath): string {
  const lines = parts.map(({ name, required, method }) => {
    const by = method === undefined ? "a method that is not known yet" : `\`${dottedName(method)}\``;
    return `- \`${protoCamelCase(name)}\`: by ${by}${required ? "" : "; told of in `partial` where it is missing"}`;
  });
  return `Made of:\n${lines.join("\n")}`;
}

function answer({ parts }: ComposedPath, schemas: Schemas): JsonObject {
  const properties = parts.map((part) => [schemas.memberName(part.name), memberSchema(part, schemas)] as const);
  const required = parts.filter((part) => part.required).map(({ name }) => schemas.memberName(name));
  return {
    type: "object",
    properties: { ...Object.fromEntries(properties), partial },
    ...(required.length > 0 && { required }),
  };
}

function memberSchema({ method, show, many }: ComposedPart, schemas: Schemas): JsonObject {
  if (method === undefined) return {};
  const schema = show === undefined ? schemas.message(method.output, "output") : schemas.field(show, "output");
  return many ? { type: "array", items: schema } : schema;
}

const partial: JsonObject = {
  type: "array",
  description: "What is missing, and why; absent where nothing is.",
  items: {
    type: "object",
    properties: {
      part: { type: "string", description: "The part that is missing, or some of it." },
      code: { type: "integer", format: "int32", description: "The gRPC code." },
      message: { type: "string", description: "Why, for people." },
      reason: { type: "string", description: "Why, for programs." },
      missing: { type: "integer", description: "How many of its values." },
    },
    required: ["part", "code", "message", "reason"],
  },
};

/** What the parts ask for without which there is no answer. */
function security({ parts }: ComposedPath): JsonObject {
  const asked = parts.flatMap(({ required, method }) => (required && method && methodPolicy(method).access) || []);
  const closed = asked.filter(({ anonymous }) => !anonymous);
  if (closed.length === 0) return {};
  return { security: [{ [bearer]: [...new Set(closed.flatMap(({ scopes }) => scopes))] }] };
}
