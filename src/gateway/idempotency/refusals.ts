import { createRegistry } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { errorWithInfo } from "../../call/errors.ts";
import { Refusal } from "../../rest/refusal.ts";
import { errorAnswer } from "../../rest/response/error.ts";
import { jsonAnswer } from "../../server/answers.ts";

/** Why a request with a key is not passed on. */
export type KeyTrouble =
  | { readonly kind: "malformed"; readonly problem: string }
  | { readonly kind: "too large"; readonly maxBytes: number }
  | { readonly kind: "broken off" }
  | { readonly kind: "reused" }
  | { readonly kind: "busy" }
  | { readonly kind: "not kept"; readonly status: number }
  | { readonly kind: "store away" };

/** What a caller may do who is to come again. */
const retryAfter = { "retry-after": "1" };

/** The answer to a request with a key that is not passed on: what is wrong, and how to mend it. */
export function keyRefused(trouble: KeyTrouble, request: UniversalServerRequest): UniversalServerResponse {
  const { status, error, header } = refusalOf(trouble);
  if (!request.header.has("connect-protocol-version")) {
    return errorAnswer(new Refusal(status, error, header), request, registry);
  }
  return jsonAnswer(status, { code: codeToString(error.code), message: error.rawMessage }, header);
}

const registry = createRegistry();

function refusalOf(trouble: KeyTrouble): {
  readonly status: number;
  readonly error: ConnectError;
  readonly header?: Record<string, string>;
} {
  switch (trouble.kind) {
    case "malformed":
      return { status: 400, error: errorOf(Code.InvalidArgument, "IDEMPOTENCY_KEY_MALFORMED", trouble.problem) };
    case "too large": {
      const message = `the body is over ${trouble.maxBytes} bytes`;
      return { status: 413, error: errorOf(Code.ResourceExhausted, "BODY_TOO_LARGE", message) };
    }
    case "broken off":
      return { status: 400, error: errorOf(Code.InvalidArgument, "BODY_INCOMPLETE", "the body has not arrived whole") };
    case "reused":
      return { status: 422, error: errorOf(Code.InvalidArgument, "IDEMPOTENCY_KEY_REUSED", reused) };
    case "busy":
      return { status: 409, error: errorOf(Code.Aborted, "IDEMPOTENCY_KEY_IN_USE", busy), header: retryAfter };
    case "not kept": {
      const message = `the first request with this Idempotency-Key was answered with ${trouble.status}; that answer was too long to be kept, and the request is not made again`;
      return { status: 409, error: errorOf(Code.Aborted, "IDEMPOTENT_ANSWER_NOT_KEPT", message) };
    }
    case "store away":
      return {
        status: 503,
        error: errorOf(Code.Unavailable, "IDEMPOTENCY_STORE_UNAVAILABLE", away),
        header: retryAfter,
      };
  }
}

const reused =
  "this Idempotency-Key has been used for another request: the same key goes with the same query, Content-Type and body; a new request needs a new key";
const busy = "the first request with this Idempotency-Key is still under way: ask again for its answer";
const away =
  "the gateway's database cannot be used, without which a request with Idempotency-Key might be made twice: ask again, or without the key";

function errorOf(code: Code, reason: string, message: string): ConnectError {
  return errorWithInfo(code, message, { reason, domain: "heddle" });
}
