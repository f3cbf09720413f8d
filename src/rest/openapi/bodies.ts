import type { DescField, DescMessage, JsonObject } from "@bufbuild/protobuf";
import type { Binding } from "../binding.ts";
import { commentOf } from "./comments.ts";
import type { Schemas } from "./schemas.ts";

/** The body that a binding reads; `undefined` for none. */
export function requestBody(binding: Binding, schemas: Schemas): JsonObject | undefined {
  const { body, method, variables } = binding;
  if (body.kind === "none") return undefined;
  const inPath = variables.map(({ fields }) => fields);
  const field = "field" in body ? body.field : undefined;
  if (field === undefined) {
    if (isHttpBody(method.input)) return { required: true, content: { "*/*": {} } };
    const required = [...schemas.mandatory(method.input)].some((each) => !inPath.some(([first]) => first === each));
    return { ...(required && { required }), content: json(schemas.messageWithout(method.input, inPath)) };
  }
  if (isHttpBody(field.message)) return { required: true, content: { "*/*": {} } };
  const below = inPath.flatMap(([first, ...others]) => (first === field && asksFor(others, schemas) ? [others] : []));
  const { description, ...schema } = schemas.field(field, "input", below);
  return { ...(description !== undefined && { description }), required: true, content: json(schema) };
}

/**
 * Whether a body would have to hold what its path gives already. One that need not may: who changes a resource sends it
 * back as it came.
 */
function asksFor(path: readonly DescField[], schemas: Schemas): boolean {
  const last = path.at(-1);
  return last !== undefined && schemas.mandatory(last.parent as DescMessage).has(last);
}

/** The answer of a call that went well, by its status. */
export function success(binding: Binding, schemas: Schemas): JsonObject {
  const { method, created, responseBody } = binding;
  const content = contentOf(binding, schemas);
  const about = aboutAnswer(method.output, responseBody);
  if (method.methodKind === "server_streaming") return { "200": { description: `A stream. ${about}`, content } };
  if (created === undefined) return { "200": { description: about, content } };
  const schema = { type: "string", format: "uri-reference" };
  const location = { description: `Where it is: ${created.template.source}`, schema, required: true };
  return { "201": { description: about, headers: { Location: location }, content } };
}

function contentOf(binding: Binding, schemas: Schemas): JsonObject {
  const { method, responseBody } = binding;
  const message = responseBody === undefined ? method.output : responseBody.message;
  if (isHttpBody(message) && responseBody?.fieldKind !== "list") return { "*/*": {} };
  const schema = answerSchema(binding, schemas);
  if (method.methodKind !== "server_streaming") return json(schema);
  const each = (text: string) => ({ ...schema, description: text });
  return {
    "application/x-ndjson": {
      schema: each('One line. An error after the first is a last line `{"error": …}` with a google.rpc.Status.'),
    },
    "text/event-stream": {
      schema: each("The data of one event. An error after the first is a last event named `error`."),
    },
    "application/json": { schema: { type: "array", items: schema } },
  };
}

function answerSchema({ method, responseBody }: Binding, schemas: Schemas): JsonObject {
  if (responseBody === undefined) return schemas.message(method.output, "output");
  const { description: _, ...schema } = schemas.field(responseBody, "output");
  return schema;
}

/** A response has to be described; the message's own comment is about the message, and does. */
function aboutAnswer(output: DescMessage, field: DescField | undefined): string {
  return commentOf(field ?? output) || "OK";
}

/** Whether JSON makes room for bytes as they are: https://google.aip.dev/127 */
function isHttpBody(desc: DescMessage | undefined): boolean {
  return desc?.typeName === "google.api.HttpBody";
}

function json(schema: JsonObject): JsonObject {
  return { "application/json": { schema } };
}
