import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { HttpHandler } from "../../wire/engine.ts";
import { discard } from "./answer-body.ts";

/**
 * Answers HEAD with the headers that GET would have, tag and compressed length included, and without a body. What was
 * about to be streamed is cancelled. A path that a contract gives to HEAD and not to GET is asked as HEAD.
 *
 * Outside of all that looks at bodies: from the headers of HEAD alone nobody could tell them.
 */
export function withHead(inner: HttpHandler): HttpHandler {
  return (request) => (request.method === "HEAD" ? head(inner, request) : inner(request));
}

async function head(inner: HttpHandler, request: UniversalServerRequest): Promise<UniversalServerResponse> {
  const enough = new AbortController();
  const signal = AbortSignal.any([request.signal, enough.signal]);
  const asked = new Headers(request.header);
  asked.delete("range"); // HEAD knows no parts (RFC 9110 §14.2)
  const { status, header = new Headers(), body } = await inner({ ...request, method: "GET", header: asked, signal });
  enough.abort(new Error("HEAD asks for no body"));
  discard(body); // its call was cancelled a line above
  if (status === 405 && (header.get("allow") ?? "").split(/\s*,\s*/).includes("HEAD")) return inner(request);
  return { status, header };
}
