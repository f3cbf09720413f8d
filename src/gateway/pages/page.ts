import { createHash } from "node:crypto";
import { Code } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { WholeBody } from "../../call/whole-body.ts";
import { jsonAnswer } from "../../server/answers.ts";
import { isShown } from "../http/if-none-match.ts";

/** What a page is before anybody asks for it. */
export interface PageContent {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Of the bytes, and of nothing else. */
  readonly version: string;
}

/** Content of these bytes. */
export function pageContent(type: string, content: string | Uint8Array): PageContent {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { type, bytes, version: createHash("sha256").update(bytes).digest("base64url").slice(0, 22) };
}

/**
 * Answers with the content; with 304 to who has it already, and without a body to HEAD. Headers given here go before
 * its own: by default, whoever keeps a page asks each time whether it is still that.
 */
export function pageAnswer(
  { method, header }: UniversalServerRequest,
  { type, bytes, version }: PageContent,
  more: Readonly<Record<string, string>> = {},
): UniversalServerResponse {
  const etag = `W/"${version}"`; // weak, for the same page leaves compressed in several ways
  const own = { etag, "cache-control": "no-cache", "x-content-type-options": "nosniff", ...more };
  if (isShown(header.get("if-none-match"), etag)) return { status: 304, header: new Headers(own) };
  const whole = new Headers({ ...own, "content-type": type, "content-length": String(bytes.length) });
  return { status: 200, header: whole, ...(method !== "HEAD" && { body: new WholeBody(bytes) }) };
}

/** The answer to methods that pages have none for; `undefined` for those that they have. */
export function methodRefused({ method }: UniversalServerRequest): UniversalServerResponse | undefined {
  if (method === "GET" || method === "HEAD") return undefined;
  const message = `${method} is not allowed here; allowed: GET, HEAD`;
  return jsonAnswer(405, { code: Code.Unimplemented, message, details: [] }, { allow: "GET, HEAD" });
}
