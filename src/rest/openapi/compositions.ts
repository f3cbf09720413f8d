import type { DescField, DescMethod, JsonObject } from "@bufbuild/protobuf";
import { protoCamelCase } from "@bufbuild/protobuf/reflect";
import { methodPolicy } from "../../call/policy.ts";
import { parseTemplate } from "../template.ts";
import { commentOf } from "./comments.ts";
import { bearer } from "./policies.ts";
import { described, type Schemas } from "./schemas.ts";

/** A path that is answered with what several methods bring, by no contract of its own. */
export interface Composition {
  /** As google.api.http writes it. */
  readonly path: string;
  /** A sentence; may be empty. */
  readonly description: string;
  /** Parameters of the query string, in snake_case. */
  readonly query: readonly string[];
  readonly parts: readonly ComposedPart[];
}

/** What one of its methods brings. */
export interface ComposedPart {
  /** In snake_case. */
  readonly name: string;
  readonly method: DescMethod;
  /** The field of the answer that is shown alone; `undefined` for all of it. */
  readonly show: DescField | undefined;
  /** Whether it is a list, of an answer for each of several calls. */
  readonly many: boolean;
  /** Whether there is no answer without it. */
  readonly required: boolean;
}

/** The path as OpenAPI writes it, with what GET of it answers. */
export function composedPath(composition: Composition, schemas: Schemas): readonly [path: string, item: JsonObject] {
  const path = composition.path.replaceAll(/\{([^}=]+)=[^}]*\}/g, "{$1}");
  return [path, { get: composedOperation(composition, schemas) }];
}

function composedOperation(composition: Composition, schemas: Schemas): JsonObject {
  const { path, description, query, parts } = composition;
  const variables = parseTemplate(path).variables.map((variable) => parameter(variable.path, "path"));
  const parameters = [...variables, ...query.map((name) => parameter(protoCamelCase(name), "query"))];
  const content = { "application/json": { schema: answerSchema(parts, schemas) } };
  const error = (name: string) => ({ $ref: `#/components/responses/${name}` });
  return {
    tags: [compositionTag],
    summary: description || path,
    ...described([description, wordsOf(parts, schemas)]),
    operationId: `compose_get_${path.replaceAll(/\W+/g, "_").replaceAll(/^_|_$/g, "")}`,
    ...(parameters.length > 0 && { parameters }),
    responses: {
      "200": { description: "What has come, and in `partial` why the rest has not.", content },
      "400": error("BadRequest"),
      "503": error("Unavailable"),
      "504": error("DeadlineExceeded"),
      default: error("Error"),
    },
    ...securityOf(parts),
  };
}

/** Under which compositions stand in the document. */
export const compositionTag = "composed";

function parameter(name: string, where: "path" | "query"): JsonObject {
  return { name, in: where, required: where === "path", schema: { type: "string" } };
}

function wordsOf(parts: readonly ComposedPart[], schemas: Schemas): string {
  const required = parts.filter((part) => part.required).map(({ name }) => `\`${nameIn(schemas, name)}\``);
  const all = parts.map(({ method }) => `\`${method.parent.typeName}/${method.name}\``);
  const without = required.length === 0 ? "" : ` Without ${required.join(" and ")} there is no answer.`;
  return `Made of ${[...new Set(all)].join(", ")}, under one deadline.${without}`;
}

/** What an answer calls a part, as it calls the fields of messages. */
function nameIn(schemas: Schemas, name: string): string {
  return schemas.nameOf({ name, jsonName: protoCamelCase(name) });
}

function answerSchema(parts: readonly ComposedPart[], schemas: Schemas): JsonObject {
  const properties = parts.map((part) => [nameIn(schemas, part.name), partSchema(part, schemas)] as const);
  const required = parts.filter((part) => part.required).map(({ name }) => nameIn(schemas, name));
  return {
    type: "object",
    properties: { ...Object.fromEntries(properties), partial: missingSchema },
    ...(required.length > 0 && { required }),
  };
}

function partSchema({ method, show, many }: ComposedPart, schemas: Schemas): JsonObject {
  const one = show === undefined ? schemas.message(method.output, "output") : schemas.field(show, "output");
  return many ? { type: "array", items: one, ...described([commentOf(method)]) } : one;
}

const missingSchema: JsonObject = {
  type: "array",
  description: "What is missing, and why; not there when nothing is.",
  items: {
    type: "object",
    properties: {
      part: { type: "string", description: "The part that is missing, or some of it." },
      code: { type: "integer", format: "int32", description: "The gRPC code, from 1 to 16." },
      message: { type: "string", description: "Why, for people." },
      reason: { type: "string", description: "Why, for programs; may be empty." },
      missing: { type: "integer", format: "int32", description: "How many of the part's values." },
    },
    required: ["part", "code", "message", "reason"],
  },
};

/** What a caller needs for there to be an answer at all. */
function securityOf(parts: readonly ComposedPart[]): JsonObject {
  const guarded = parts.flatMap(({ method, required }) => (required ? (methodPolicy(method).access ?? []) : []));
  if (!guarded.some(({ anonymous }) => !anonymous)) return {};
  return { security: [{ [bearer]: [...new Set(guarded.flatMap(({ scopes }) => scopes))] }] };
}
