import { type DescField, type DescMessage, type DescMethod, getOption, type JsonObject } from "@bufbuild/protobuf";
import { field as fieldOption } from "../../../gen/heddle/policy/v1/policy_pb.ts";
import type { Binding } from "../routes/binding.ts";
import { commentOf } from "./comments.ts";
import { streamError } from "./failure-schemas.ts";
import type { Schemas } from "./schemas.ts";

/** The body that a binding reads; `undefined` for none. */
export function requestBody(binding: Binding, schemas: Schemas): JsonObject | undefined {
  const { body, method, variables } = binding;
  if (body.kind === "none") return undefined;
  const inPath = variables.map(({ fields }) => fields);
  if (body.kind === "raw") return { required: true, content: anything };
  if (body.kind === "all") {
    const required = [...schemas.mandatory(method.input)].some((each) => !inPath.some(([first]) => first === each));
    return { ...(required && { required }), content: json(schemas.messageWithout(method.input, inPath)) };
  }
  const { field } = body;
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

/** Whether the contract names the field by which a stream goes on where it was. */
export function resumes({ methodKind, input }: DescMethod): boolean {
  return methodKind === "server_streaming" && input.fields.some((field) => getOption(field, fieldOption).resumeAfter);
}

/** The answer of a call that went well, by its status. */
export function success(binding: Binding, schemas: Schemas): JsonObject {
  const { method, created, responseBody } = binding;
  const content = contentOf(binding, schemas);
  const about = aboutAnswer(method.output, responseBody);
  if (method.methodKind === "server_streaming") {
    const nothingMore = { description: "Nothing comes after the event that `Last-Event-ID` names." };
    return { "200": { description: `A stream. ${about}`, content }, ...(resumes(method) && { "204": nothingMore }) };
  }
  if (created === undefined) return { "200": { description: about, content } };
  const schema = { type: "string", format: "uri-reference" };
  const location = { description: `Where it is: ${created.template.source}`, schema, required: true };
  return { "201": { description: about, headers: { Location: location }, content } };
}

function contentOf(binding: Binding, schemas: Schemas): JsonObject {
  if (binding.rawResponse) return anything;
  const schema = answerSchema(binding, schemas);
  if (binding.method.methodKind !== "server_streaming") return json(schema);
  const item = { anyOf: [schema, { $ref: streamError }] };
  return {
    "application/x-ndjson": { schema: { ...item, description: "One line." } },
    "text/event-stream": {
      schema: {
        ...schema,
        description: "The data of one event. The last is named `end`, or `error` with a google.rpc.Status.",
      },
    },
    "application/json": { schema: { type: "array", items: item } },
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

/** Bytes of any type: https://google.aip.dev/127 */
const anything: JsonObject = { "*/*": {} };

function json(schema: JsonObject): JsonObject {
  return { "application/json": { schema } };
}
