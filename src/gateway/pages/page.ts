import { createHash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { once } from "../../rest/answer.ts";
import { jsonAnswer } from "../../server/answers.ts";

/** What a page is before anybody asks for it. */
export interface PageContent {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Of the bytes, quoted as the header has it. */
  readonly etag: string;
}

/** Content of these bytes. */
export function pageContent(type: string, content: string | Uint8Array): PageContent {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { type, bytes, etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"` };
}

/**
 * Answers with the content; with 304 to who has it already, and without a body to HEAD. Headers given here go before
 * its own: by default, whoever keeps a page asks each time whether it is still that.
 */
export function pageAnswer(
  { method, header }: UniversalServerRequest,
  { type, bytes, etag }: PageContent,
  more: Readonly<Record<string, string>> = {},
): UniversalServerResponse {
  const own = { etag, "cache-control": "no-cache", "x-content-type-options": "nosniff", ...more };
  if (isKnown(header.get("if-none-match"), etag)) return { status: 304, header: new Headers(own) };
  const whole = new Headers({ ...own, "content-type": type, "content-length": String(bytes.length) });
  return { status: 200, header: whole, ...(method !== "HEAD" && { body: once(bytes) }) };
}

/** The answer to methods that pages have none for; `undefined` for those that they have. */
export function methodRefused({ method }: UniversalServerRequest): UniversalServerResponse | undefined {
  if (method === "GET" || method === "HEAD") return undefined;
  const message = `${method} is not allowed here; allowed: GET, HEAD`;
  return jsonAnswer(405, { code: Code.Unimplemented, message, details: [] }, { allow: "GET, HEAD" });
}

/** Weak comparison, as RFC 9110 §13.1.2 has it: a proxy that compresses makes the tag weak. */
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  return ifNoneMatch.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
}
