import { Code } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { jsonAnswer } from "./answers.ts";

/** Connect refuses a wrong method or content type with a bare status: this adds what would have been right. */
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
  const code = status === 405 ? Code.Unimplemented : Code.InvalidArgument;
  return jsonAnswer(status, { code, message, details: [] }, header);
}
