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
  /** https://www.w3.org/TR/trace-context/ */
  traceparent: "traceparent",
  /** Goes wherever `traceparent` goes. */
  tracestate: "tracestate",
} as const;
