import type { JsonObject } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { codeName } from "../../call/outcome.ts";

const problemType = "application/problem+json";

/**
 * Whether a caller wants its errors as RFC 9457 has them: it names that type in Accept, and not below JSON. `application/json,
 * application/problem+json` is how one asks for both, the one for answers and the other for errors.
 */
export function prefersProblem(accept: string | null): boolean {
  if (accept === null || !accept.toLowerCase().includes(problemType)) return false;
  const quality = qualityOf(accept, problemType);
  return quality > 0 && quality >= qualityOf(accept, "application/json");
}

function qualityOf(accept: string, type: string): number {
  for (const range of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (name === type) return Number(parameters.find((each) => each.startsWith("q="))?.slice(2) ?? 1);
  }
  return 0;
}

/** What a problem is told from, beside the error. */
export interface ProblemContext {
  readonly status: number;
  /** The path that was asked for. */
  readonly path: string;
  /** The error's details as protojson. */
  readonly details: readonly JsonObject[];
}

/**
 * Problem details: https://www.rfc-editor.org/rfc/rfc9457. The type is `about:blank`, for what can be known of it, a
 * program knows by `code` and the reason in `details`; fields that are wrong are told once more, in `errors`.
 */
export function problemJson(error: ConnectError, { status, path, details }: ProblemContext): JsonObject {
  const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  const errors = violations.map(({ field, description }) => ({ field, detail: description }));
  return {
    type: "about:blank",
    title: titles.get(status) ?? "Error",
    status,
    detail: error.rawMessage,
    instance: path,
    code: codeName(error.code),
    ...(errors.length > 0 && { errors }),
    details: [...details],
  };
}

/** The phrases of RFC 9110, and of nginx for a caller that is gone. */
const titles = new Map([
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [409, "Conflict"],
  [412, "Precondition Failed"],
  [413, "Content Too Large"],
  [414, "URI Too Long"],
  [415, "Unsupported Media Type"],
  [416, "Range Not Satisfiable"],
  [422, "Unprocessable Content"],
  [426, "Upgrade Required"],
  [429, "Too Many Requests"],
  [499, "Client Closed Request"],
  [500, "Internal Server Error"],
  [501, "Not Implemented"],
  [502, "Bad Gateway"],
  [503, "Service Unavailable"],
  [504, "Gateway Timeout"],
]);
