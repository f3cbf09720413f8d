import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { isDeprecated, safeToRepeat } from "../../call/method.ts";
import type { Binding } from "../routes/binding.ts";
import { requestBody, resumes, success } from "./bodies.ts";
import { commentOf, summaryOf } from "./comments.ts";
import { described } from "./described.ts";
import { failuresOf } from "./failures.ts";
import { pathParameters, queryParameters } from "./parameters.ts";
import type { DocumentedPath } from "./paths.ts";
import { policyKeywords, policyWords } from "./policies.ts";
import type { Schemas } from "./schemas.ts";

/** A binding in the place where the document has it. */
export interface Documented {
  readonly binding: Binding;
  readonly path: DocumentedPath;
  /** 0 for a method's first binding, and so on. */
  readonly index: number;
}

/** The operation that a binding is. */
export function operation({ binding, path, index }: Documented, schemas: Schemas): JsonObject {
  const { method } = binding;
  const comment = commentOf(method);
  const takesKey = binding.httpMethod === "POST" && method.methodKind === "unary" && !safeToRepeat(method);
  const parameters = [
    ...pathParameters(path, schemas),
    ...queryParameters(binding, schemas),
    ...(takesKey ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : []),
    ...(resumes(method) ? [{ $ref: "#/components/parameters/LastEventId" }] : []),
  ];
  const body = requestBody(binding, schemas);
  return {
    tags: [method.parent.typeName],
    summary: summaryOf(comment) || method.name,
    ...described([comment, policyWords(method).join("\n\n")]),
    operationId: operationId(method, index),
    ...(isDeprecated(method) && { deprecated: true }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: body }),
    responses: { ...success(binding, schemas), ...failuresOf(method, { takesKey }) },
    ...policyKeywords(method),
  };
}

/** Unique and stable: out of the method's full name alone, and of which of its bindings this is. */
function operationId({ name, parent }: DescMethod, index: number): string {
  const id = `${parent.typeName.replaceAll(".", "_")}_${name}`;
  return index === 0 ? id : `${id}_${index + 1}`;
}

/**
 * The header fields that operations refer to: of https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 * and https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
 */
export const headerParameters: JsonObject = {
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "Names this request, so that it takes effect once however often it is sent: whoever sends it again with the same key gets the first answer again.",
    schema: { type: "string", minLength: 1, maxLength: 255 },
  },
  LastEventId: {
    name: "Last-Event-ID",
    in: "header",
    description: "The id of the event that was seen last: only what comes after it is told.",
    schema: { type: "string" },
  },
};
