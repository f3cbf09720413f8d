import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { jsonAnswer } from "./answers.ts";

/**
 * Refuses a Connect call by GET whose `message` is not the base64 that its query says it is; `undefined` for all others.
 * Connect's own handlers would blame the server for it, by INTERNAL.
 */
export function refusedQuery({ method, url }: UniversalServerRequest): UniversalServerResponse | undefined {
  if (method !== "GET" || !url.includes("base64=1")) return undefined;
  const { searchParams } = new URL(url);
  const message = (searchParams.get("message") ?? "").replaceAll(/\s|=+$/g, "");
  if (searchParams.get("base64") !== "1" || isBase64(message)) return undefined;
  return jsonAnswer(400, {
    code: "invalid_argument",
    message: "message: is not base64, in the alphabet of URLs or the other one, as base64=1 in the query says",
  });
}

function isBase64(text: string): boolean {
  return /^[\w+/-]*$/.test(text) && text.length % 4 !== 1;
}
