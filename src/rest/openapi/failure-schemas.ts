import type { JsonObject } from "@bufbuild/protobuf";

/** The two forms of an error. */
export function failureSchemas(): JsonObject {
  const details = { type: "array", items: detail, description: "More about it, each of a type that `@type` names." };
  return {
    "google.rpc.Status": {
      type: "object",
      description: "An error, as https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto has it.",
      properties: {
        code: { type: "integer", format: "int32", description: "The gRPC code, from 1 to 16.", examples: [5] },
        message: { type: "string", description: "What is wrong, for people.", examples: ["user 42 does not exist"] },
        details,
      },
      required: ["code", "message"],
    },
    StreamError: {
      type: "object",
      description: "Stands for a message where a stream has failed: nothing comes after it.",
      properties: { error: { $ref: "#/components/schemas/google.rpc.Status" } },
      required: ["error"],
    },
    Problem: {
      type: "object",
      description: "An error, as RFC 9457 has it: for callers whose `Accept` prefers `application/problem+json`.",
      properties: {
        type: { type: "string", format: "uri-reference", description: "What kind of problem it is." },
        title: { type: "string", description: "The kind of problem, for people." },
        status: { type: "integer", description: "The HTTP status." },
        detail: { type: "string", description: "What is wrong, for people." },
        instance: { type: "string", format: "uri-reference", description: "This one occurrence." },
        code: { type: "string", description: "The gRPC code by its name.", examples: ["NOT_FOUND"] },
        errors: { type: "array", items: wrongField, description: "The fields that are wrong." },
        details,
      },
      additionalProperties: true,
    },
  };
}

/** Where the schema of a stream's last message is, when the stream has failed. */
export const streamError = "#/components/schemas/StreamError";

const wrongField: JsonObject = {
  type: "object",
  properties: { field: { type: "string" }, detail: { type: "string" } },
};

const detail: JsonObject = {
  type: "object",
  properties: { "@type": { type: "string", examples: ["type.googleapis.com/google.rpc.BadRequest"] } },
  required: ["@type"],
  additionalProperties: true,
};
