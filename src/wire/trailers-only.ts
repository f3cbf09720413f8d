import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { apart } from "./node-headers.ts";

/**
 * The one block of headers that a gRPC answer is that failed before its first message ("Trailers-Only"); `undefined` for
 * every other answer. Stock clients take a separate head for the begin of the answer, and then do not send the call
 * again, whatever their service config says (gRFC A6).
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 *
 * Connect hands an answer over when its first bytes are there: a failure known by then came before any message.
 * A handler that has set headers has begun the answer: they keep a head of their own, as grpc-go does it, for a client
 * to tell them from trailers.
 */
export function trailersOnly({ header, trailer, body }: UniversalServerResponse): Headers | undefined {
  const status = trailer?.get("grpc-status") ?? (body === undefined && header?.get("grpc-status"));
  const isGrpc = /^application\/grpc(?!-web)/.test(header?.get("content-type") ?? "");
  if (!isGrpc || typeof status !== "string" || status === "0") return undefined;
  const headers = new Headers(header);
  headers.delete("grpc-encoding"); // of messages that do not come
  if ([...headers.keys()].some((name) => !ofProtocol.has(name))) return undefined;
  trailer?.forEach((value, name) => headers.append(name, value));
  return headers;
}

/** What an answer's head says without its handler. */
const ofProtocol = new Set(["content-type", "grpc-accept-encoding", "grpc-status", "grpc-message"]);

/** Sends such an answer over `node:http2`, and says whether it did. */
export function sendTrailersOnly(
  answer: UniversalServerResponse,
  response: ServerResponse | Http2ServerResponse,
): boolean {
  const headers = "stream" in response ? trailersOnly(answer) : undefined;
  if (headers === undefined || !("stream" in response)) return false;
  response.stream.respond({ ...apart(Object.fromEntries(headers)), ":status": answer.status }, { endStream: true });
  return true;
}
