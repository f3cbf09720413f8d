import type { DescMethod, JsonObject } from "@bufbuild/protobuf";
import { codeName } from "../../call/outcome.ts";
import { methodPolicy } from "../../call/policy.ts";
import { httpStatus } from "../response/error.ts";
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

/** HTTP status by the names that comments have for gRPC codes. */
const statusOf: ReadonlyMap<string, string> = new Map(
  Object.entries(httpStatus).map(([code, status]) => [codeName(Number(code)), String(status)]),
);

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
  return [...errors.matchAll(/\b[A-Z]+(?:_[A-Z]+)*\b/g)].flatMap(([word]) => statusOf.get(word) ?? []);
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
