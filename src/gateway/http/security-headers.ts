import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { FieldHeaders, putField } from "../../call/field-headers.ts";
import type { HttpHandler } from "../../wire/engine.ts";

/** A browser that is shown data as if it were a page runs, loads and frames nothing. Pages bring a policy of their own. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

/** A year, as browsers' preload lists ask for at least. Not for other hosts of the domain: they are not ours to speak for. */
const hstsPolicy = "max-age=31536000";

/** What answers to browsers depend on. */
export interface SecurityHeadersOptions {
  /** Whether every page may read the answers (CORS for `*`): then every page may show them, too. */
  readonly everybody: boolean;
}

/**
 * Tells browsers what not to do with an answer: guess its type, tell others of it, run it, keep it. What an answer says of
 * itself stands: pages have a policy of their own, and what may be cached says so. Answers in gRPC are no browser's.
 *
 * Where nothing is said of caching, a GET's answer may be kept by its caller alone, and shown again only when the gateway has
 * said that it still holds: with `no-store` nobody could ever ask by ETag. All other answers are kept by nobody.
 *
 * `Strict-Transport-Security` goes with answers over TLS, but for localhost: it would hold for every port of the machine.
 */
export function withSecurityHeaders({ everybody }: SecurityHeadersOptions, inner: HttpHandler): HttpHandler {
  const resourcePolicy = everybody ? "cross-origin" : "same-origin";
  return async (request) => {
    const answer = await inner(request);
    const { status, header = new FieldHeaders() } = answer;
    if (header.get("content-type")?.startsWith("application/grpc")) return answer;
    putField(header, "x-content-type-options", "nosniff");
    if (!header.has("referrer-policy")) putField(header, "referrer-policy", "no-referrer");
    putField(header, "cross-origin-resource-policy", resourcePolicy);
    if (!header.has("content-security-policy")) putField(header, "content-security-policy", dataPolicy);
    if (!header.has("cache-control")) putField(header, "cache-control", cachingOf(request, status));
    if (isOverTls(request)) putField(header, "strict-transport-security", hstsPolicy);
    return answer.header === undefined ? { ...answer, header } : answer;
  };
}

function cachingOf({ method }: UniversalServerRequest, status: number): string {
  return (method === "GET" || method === "HEAD") && status < 400 ? "private, no-cache" : "no-store";
}

function isOverTls({ url }: UniversalServerRequest): boolean {
  return url.startsWith("https:") && !url.startsWith("https://localhost");
}
