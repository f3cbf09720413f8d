/** Every header that calls carry, once. */
export const headers = {
  /** Time left, as gRPC writes it: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
  grpcTimeout: "grpc-timeout",
  /** Time left in milliseconds, as Connect writes it: https://connectrpc.com/docs/protocol */
  connectTimeout: "connect-timeout-ms",
  /** Attempts before this one; absent on the first (gRFC A6). */
  previousAttempts: "grpc-previous-rpc-attempts",
  /** When to try again, in milliseconds; negative or malformed: never (gRFC A6). */
  retryPushback: "grpc-retry-pushback-ms",
  /** When to try again, in seconds or as a date: https://www.rfc-editor.org/rfc/rfc9110.html#section-10.2.3 */
  retryAfter: "retry-after",
  /** Who calls: "Bearer <token>" (RFC 6750). */
  authorization: "authorization",
  /** How the caller is to prove itself, on an answer that refuses it (RFC 6750 §3). */
  challenge: "www-authenticate",
  /** "sheddable", "normal" or "critical", in lower case; absent where the call is what its contract says. */
  criticality: "heddle-criticality",
  /** How many hops above, this one included, are attempts after the first, in decimal; absent where none is. */
  retryDepth: "heddle-retry-depth",
  /** "1" asks for the server's load report behind the answer, in `loadMetrics`. */
  loadReport: "heddle-load-report",
  /** The server's load, an `xds.data.orca.v3.OrcaLoadReport`, in trailers (gRFC A51). */
  loadMetrics: "endpoint-load-metrics-bin",
  /** On an answer that a fallback gave: the reason why nobody could be asked. */
  fallback: "heddle-fallback",
  /** On the gateway's answers: the id of the trace, as `heddle explain` takes it. */
  traceId: "heddle-trace-id",
  /** https://www.w3.org/TR/trace-context/ */
  traceparent: "traceparent",
  /** Goes wherever `traceparent` goes. */
  tracestate: "tracestate",
} as const;
