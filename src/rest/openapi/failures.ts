import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { methodPolicy } from "../../call/policy.ts";
import { commentOf } from "./comments.ts";

/** The answers of calls that failed, by HTTP status: name of the component, and what it says. */
const failures: Readonly<Record<string, readonly [name: string, description: string]>> = {
  "400": [
    "BadRequest",
    "The request is wrong, or not possible as things are; `details` names each field that is wrong.",
  ],
  "401": ["Unauthenticated", "There is no token, or it is not accepted."],
  "403": ["PermissionDenied", "The caller is known, and may not."],
  "404": ["NotFound", "Something that the request names does not exist."],
  "409": ["Conflict", "It exists already, or was changed meanwhile."],
  "422": ["KeyReused", "The `Idempotency-Key` was sent before, with another request."],
  "429": [
    "TooManyRequests",
    "The caller calls too often, or a quota is used up; `Retry-After` says when to come back.",
  ],
  "499": ["Canceled", "The caller is gone."],
  "500": ["Internal", "Something broke that should not."],
  "501": ["Unimplemented", "Nobody implements it."],
  "503": ["Unavailable", "Nobody is there to answer, for the moment."],
  "504": ["DeadlineExceeded", "It took longer than it may."],
  default: ["Error", "Any other error."],
};

/** HTTP status by the names that comments have for gRPC codes, as google/rpc/code.proto maps them. */
const statusOf: Readonly<Record<string, string>> = {
  CANCELLED: "499",
  UNKNOWN: "500",
  INVALID_ARGUMENT: "400",
  DEADLINE_EXCEEDED: "504",
  NOT_FOUND: "404",
  ALREADY_EXISTS: "409",
  PERMISSION_DENIED: "403",
  RESOURCE_EXHAUSTED: "429",
  FAILED_PRECONDITION: "400",
  ABORTED: "409",
  OUT_OF_RANGE: "400",
  UNIMPLEMENTED: "501",
  INTERNAL: "500",
  UNAVAILABLE: "503",
  DATA_LOSS: "500",
  UNAUTHENTICATED: "401",
};

/** The errors that a method may answer with: those its policy brings, and those its comment names after "Errors:". */
export function failuresOf(method: DescMethod, { takesKey }: { readonly takesKey: boolean }): JsonObject {
  const { access, rateLimit } = methodPolicy(method);
  const guarded = access !== undefined && !access.anonymous;
  const statuses = [
    "400",
    ...(guarded ? ["401", ...(access.scopes.length > 0 ? ["403"] : [])] : []),
    ...(takesKey ? ["422"] : []),
    ...(rateLimit === undefined ? [] : ["429"]),
    ...named(method),
  ];
  return failureReferences(statuses);
}

/** The components of these statuses, and of any other error. */
export function failureReferences(statuses: readonly string[]): JsonObject {
  const found = [...new Set(statuses)].sort().map((status) => [status, reference(status)] as const);
  return Object.fromEntries([...found, ["default", reference("default")]]);
}

function named(method: DescMethod): string[] {
  const [, errors = ""] = commentOf(method).split(/\bErrors:/);
  return [...errors.matchAll(/\b[A-Z]+(?:_[A-Z]+)*\b/g)].flatMap(([word]) => statusOf[word] ?? []);
}

function reference(status: string): JsonObject {
  return { $ref: `#/components/responses/${failures[status]?.[0] ?? "Error"}` };
}

/** The components that `failuresOf` refers to. */
export function failureResponses(): JsonObject {
  const content = {
    "application/json": { schema: { $ref: "#/components/schemas/google.rpc.Status" } },
    "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
  };
  const entries = Object.entries(failures).map(([status, [name, description]]) => {
    const headers = headersOf(status);
    return [name, { description, ...(headers && { headers }), content }] as const;
  });
  return Object.fromEntries(entries);
}

function headersOf(status: string): JsonObject | undefined {
  if (status === "401") {
    return { "WWW-Authenticate": { description: "How to prove who calls (RFC 6750).", schema: { type: "string" } } };
  }
  if (status !== "429" && status !== "503") return undefined;
  return { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer", minimum: 0 } } };
}

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
