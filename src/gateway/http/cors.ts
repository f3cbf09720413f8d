import { cors } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { FieldHeaders } from "../../call/field-headers.ts";
import type { HttpHandler } from "../../wire/engine.ts";

const methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
const restHeaders = [
  "authorization",
  "idempotency-key",
  "if-none-match",
  "cache-control",
  "last-event-id",
  "accept-language",
  "traceparent",
  "tracestate",
  "baggage",
];
const allowedHeaders = [...cors.allowedHeaders, ...restHeaders].map((name) => name.toLowerCase());
const exposedHeaders = [
  ...cors.exposedHeaders,
  "Location",
  "Retry-After",
  "WWW-Authenticate",
  "ETag",
  "Age",
  "Idempotency-Replayed",
  "Idempotency-Stored",
  "RateLimit",
  "RateLimit-Policy",
  "X-Request-Id",
  "Heddle-Trace-Id",
  "Deprecation",
  "Sunset",
  "Link",
].join(", ");

/** Two hours: Chromium remembers a preflight no longer. */
const maxAgeSeconds = 7_200;

/**
 * Lets pages of other origins call: answers preflights, and marks every answer (https://fetch.spec.whatwg.org/#http-cors-protocol).
 * Origins named one by one may send credentials; `*` lets every page in, without them.
 */
export function withCors(origins: readonly string[], inner: HttpHandler): HttpHandler {
  const everybody = origins.includes("*");
  const grantTo = (origin: string): Grant => {
    if (everybody) return { "access-control-allow-origin": "*" };
    if (!origins.includes(origin)) return { vary: "Origin" };
    return { "access-control-allow-origin": origin, "access-control-allow-credentials": "true", vary: "Origin" };
  };
  const forOrigin = async (request: UniversalServerRequest, origin: string): Promise<UniversalServerResponse> => {
    const grant = grantTo(origin);
    if (isPreflight(request)) return preflightAnswer(request, grant);
    const answer = await inner(request);
    if (grant["access-control-allow-origin"] === undefined) return marked(answer, grant);
    return marked(answer, { ...grant, "access-control-expose-headers": exposedHeaders });
  };
  return (request) => {
    const origin = request.header.get("origin");
    if (origin !== null) return forOrigin(request, origin);
    // What everybody may have says so in any case: a shared cache may hand it to a page later.
    return inner(request).then(everybody ? markedForAll : markedByOrigin);
  };
}

/** Made once for all answers to requests without an origin, which are nearly all. */
const markedForAll = (answer: UniversalServerResponse) => marked(answer, openToAll);
const markedByOrigin = (answer: UniversalServerResponse) => marked(answer, { vary: "Origin" });

const openToAll: Grant = { "access-control-allow-origin": "*" };

type Grant = Readonly<Record<string, string>>;

function isPreflight({ method, header }: UniversalServerRequest): boolean {
  return method === "OPTIONS" && header.has("access-control-request-method");
}

function preflightAnswer({ header }: UniversalServerRequest, grant: Grant): UniversalServerResponse {
  const allowed = grant["access-control-allow-origin"] !== undefined;
  const asked = (header.get("access-control-request-headers") ?? "").split(",").map((name) => name.trim());
  const own = asked.filter((name) => /^x-[\w-]+$/i.test(name)).map((name) => name.toLowerCase());
  return {
    status: 204,
    header: new Headers({
      ...grant,
      vary: [grant.vary, "Access-Control-Request-Headers"].filter(Boolean).join(", "),
      ...(allowed && {
        "access-control-allow-methods": methods,
        "access-control-allow-headers": [...new Set([...allowedHeaders, ...own])].join(", "),
        "access-control-max-age": String(maxAgeSeconds),
      }),
    }),
  };
}

function marked(answer: UniversalServerResponse, marks: Grant): UniversalServerResponse {
  answer.header ??= new FieldHeaders();
  for (const name in marks) {
    const value = marks[name] as string;
    if (name === "vary") answer.header.append(name, value);
    else answer.header.set(name, value);
  }
  return answer;
}
