import type { EngineName } from "../../wire/engines.ts";
import type { KnownFailure } from "./outcome.ts";

/** The suites, by the names that `--suite` takes. */
export type SuiteName = "h2spec" | "server" | "client";

/** What Connect-ES's own transport for Connect's protocol fails, whatever it runs over. */
// biome-ignore format: one reason a line
const connectEs: readonly KnownFailure[] = [
  { case: "Connect Unexpected Responses/**/no-end-stream", because: "Connect-ES calls a stream without an end INVALID_ARGUMENT, not INTERNAL" },
  { case: "Connect Unexpected Responses/**/server-stream/incomplete-message", because: "Connect-ES calls an answer that breaks off INVALID_ARGUMENT, not INTERNAL" },
  { case: "Connect Unexpected Responses/**/server-stream/incomplete-message-prefix", because: "Connect-ES calls an answer that breaks off INVALID_ARGUMENT, not INTERNAL" },
];

/** What each engine is known to fail. A case that is listed here and passes fails the run: the list is never stale. */
export const knownFailures: Readonly<Record<EngineName, Readonly<Record<SuiteName, readonly KnownFailure[]>>>> = {
  own: { h2spec: [], server: [], client: connectEs },
  node: {
    // biome-ignore format: one reason a line
    h2spec: [
      { case: "http2/5.1: closed: Sends a DATA frame after sending RST_STREAM frame", because: "nghttp2 ignores frames of streams that it has forgotten" },
      { case: "http2/5.1: closed: Sends a HEADERS frame after sending RST_STREAM frame", because: "nghttp2 ignores frames of streams that it has forgotten" },
      { case: "http2/5.1: closed: Sends a DATA frame", because: "nghttp2 ignores frames of streams that it has forgotten" },
      { case: "http2/5.1: closed: Sends a HEADERS frame", because: "nghttp2 ignores frames of streams that it has forgotten" },
      { case: "http2/5.1.1: Sends stream identifier that is numerically smaller than previous", because: "nghttp2 ignores HEADERS whose stream number is smaller than one it has seen" },
      { case: "http2/5.3.1: Sends PRIORITY frame that depend on itself", because: "nghttp2 ignores PRIORITY, which RFC 9113 has deprecated" },
      { case: "http2/6.3: Sends a PRIORITY frame with 0x0 stream identifier", because: "nghttp2 ignores PRIORITY, which RFC 9113 has deprecated" },
      { case: "http2/6.7: Sends a PING frame with ACK", because: "Node closes a connection that acknowledges a PING it was not sent" },
      { case: "http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream", because: "nghttp2 ends the connection where ending the stream would do" },
    ],
    server: [
      // biome-ignore format: one reason a line
      { case: "Server Message Size/HTTPVersion:2/**/request-exceeds-server-limit", because: "a caller that stops sending when it is refused breaks its Content-Length, for which nghttp2 may reset the stream before the answer's end has left", isFlaky: true },
    ],
    client: [
      ...connectEs,
      // biome-ignore format: one reason a line
      { case: "gRPC Unexpected Responses/**/server-stream/incomplete-message", because: "Connect-ES, which speaks gRPC over node:http2, calls it INVALID_ARGUMENT" },
      // biome-ignore format: one reason a line
      { case: "gRPC Unexpected Responses/**/server-stream/incomplete-message-prefix", because: "Connect-ES, which speaks gRPC over node:http2, calls it INVALID_ARGUMENT" },
    ],
  },
};
