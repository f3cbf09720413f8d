import { headers } from "../../call/headers.ts";
import { answerHeaders, callHeaders } from "../../rest/response/answer.ts";

/** Begin with `x-` and belong to gRPC-Web's protocol. */
const ofGrpcWeb = ["x-grpc-web", "x-user-agent"];

/** The headers of an RPC that its call upstream carries on: REST's, and binary ones, which no RPC client garbles. */
export function passOnRequest(header: Headers): Headers {
  const out = callHeaders(header);
  for (const name of ofGrpcWeb) out.delete(name);
  for (const [name, value] of header) if (/^x-.*-bin$/.test(name)) out.append(name, value);
  return out;
}

/**
 * Adds the headers of an answer, or its trailers, to those that the gateway answers with; not those of the hop, and not
 * what the gateway says there itself.
 */
export function passBack(from: Headers, to: Headers): void {
  for (const [name, value] of answerHeaders(from)) if (name === "set-cookie" || !to.has(name)) to.append(name, value);
  const pushback = from.get(headers.retryPushback);
  if (pushback !== null) to.set(headers.retryPushback, pushback);
}
