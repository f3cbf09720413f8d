import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { HttpHandler } from "../../wire/engine.ts";
import type { KeyedRequests } from "../idempotency/keyed-requests.ts";
import { isEnveloped } from "./enveloped.ts";

/**
 * Answers a POST or PATCH that comes with `Idempotency-Key` once, and every further one like it with the same answer.
 * All others it passes on as they are, at the price of one look; without a place to keep answers, these too.
 */
export function withIdempotencyKey(keyed: KeyedRequests | undefined, inner: HttpHandler): HttpHandler {
  if (keyed === undefined) return inner;
  return (request) => {
    const key = keyOf(request);
    return key === undefined ? inner(request) : keyed.answer(request, key, inner);
  };
}

function keyOf({ method, header }: UniversalServerRequest): string | undefined {
  if (method !== "POST" && method !== "PATCH") return undefined;
  const key = header.get("idempotency-key");
  if (key === null || isEnveloped(header)) return undefined; // an answer in messages, or by trailers, is not kept
  return key;
}
