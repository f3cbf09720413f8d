import type { UniversalHandler, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { textAnswer } from "./answers.ts";

/**
 * Connect refuses a wrong method or content type with a bare status: this adds what would have been right, for people.
 * Programs go by the status: an error in JSON would be taken for one of the RPC, as which it has no code of its own.
 */
export function saidInFull(
  answer: UniversalServerResponse,
  { method, header }: UniversalServerRequest,
  { allowedMethods }: Pick<UniversalHandler, "allowedMethods">,
): UniversalServerResponse {
  if (answer.body !== undefined) return answer;
  if (answer.status === 405) {
    const allow = allowedMethods.join(", ");
    return refusal(405, `${method} is not allowed here; allowed: ${allow}`, { allow });
  }
  if (answer.status === 415) {
    const message = `nothing here reads ${header.get("content-type") ?? "a body without Content-Type"}`;
    return refusal(415, message, { "accept-post": accepted });
  }
  return answer;
}

const accepted = "application/json, application/proto, application/connect+json, application/connect+proto";

function refusal(status: number, message: string, header: Record<string, string>): UniversalServerResponse {
  return textAnswer(status, `${message}\n`, { "content-type": "text/plain; charset=utf-8", ...header });
}
