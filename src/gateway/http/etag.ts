import { hash } from "node:crypto";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { putField } from "../../call/field-headers.ts";
import type { HttpHandler } from "../../wire/engine.ts";
import { discard, readWhole, wholeLength } from "./answer-body.ts";
import { isShown } from "./if-none-match.ts";
import { addVary } from "./vary.ts";

/** What tells of a body that a 304 does not have (https://www.rfc-editor.org/rfc/rfc9110.html#section-15.4.5). */
const ofTheBody = ["content-type", "content-length", "content-encoding", "accept-ranges"];

/**
 * Gives every whole answer to a GET a tag made of its bytes, and answers 304 to one who shows that it has them. An answer
 * that brings a tag of its own keeps it; streams have none.
 *
 * Tags are weak: the same content may leave compressed in several ways, or not at all, and still be the same
 * (https://www.rfc-editor.org/rfc/rfc9110.html#section-8.8.3.3). The call upstream is made all the same: what a 304
 * saves is the way back.
 */
export function withETag(inner: HttpHandler): HttpHandler {
  return async (request) => {
    const answer = await inner(request);
    if (request.method !== "GET" || answer.status !== 200) return answer;
    await tag(answer);
    const { header } = answer;
    if (header === undefined) return answer;
    if (header.get("cache-control")?.includes("private")) addVary(header, "Authorization"); // one browser, several users
    const shown = request.header.get("if-none-match");
    const current = shown === null ? null : header.get("etag");
    return current !== null && isShown(shown, current) ? notModified(answer) : answer;
  };
}

async function tag(answer: UniversalServerResponse): Promise<void> {
  const { header, body } = answer;
  if (header === undefined || body === undefined || wholeLength(answer) === undefined || header.has("etag")) return;
  const whole = await readWhole(body);
  putField(header, "etag", `W/"${hash("sha1", whole.ascii ?? whole.bytes, "base64url")}"`);
  answer.body = whole;
}

function notModified({ header = new Headers(), body }: UniversalServerResponse): UniversalServerResponse {
  for (const name of ofTheBody) header.delete(name);
  discard(body);
  return { status: 304, header };
}
