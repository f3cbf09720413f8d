import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

/**
 * Sends a gRPC answer that failed before its first message as one block of headers ("Trailers-Only"), and says whether
 * it did. Stock clients take a separate head for the begin of the answer, and then do not send the call again, whatever
 * their service config says (gRFC A6).
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 *
 * Connect hands an answer over when its first bytes are there: a failure known by then came before any message.
 */
export function sendTrailersOnly(
  answer: UniversalServerResponse,
  response: ServerResponse | Http2ServerResponse,
): boolean {
  if (!("stream" in response) || !failedBeforeMessages(answer)) return false;
  const headers = new Headers(answer.header);
  headers.delete("grpc-encoding"); // of messages that do not come
  answer.trailer?.forEach((value, name) => headers.append(name, value));
  response.stream.respond({ ...Object.fromEntries(headers), ":status": answer.status }, { endStream: true });
  return true;
}

function failedBeforeMessages({ header, trailer }: UniversalServerResponse): boolean {
  const status = trailer?.get("grpc-status");
  const isGrpc = /^application\/grpc(?!-web)/.test(header?.get("content-type") ?? "");
  return isGrpc && typeof status === "string" && status !== "0";
}
