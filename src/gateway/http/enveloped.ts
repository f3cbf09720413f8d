/** gRPC, gRPC-Web and the streams of Connect. */
const enveloped = /^application\/(?:grpc|connect\+)/;

/** Whether a body is messages one after the other, each behind a prefix with its length: all others are one message. */
export function isEnveloped(header: Headers): boolean {
  return enveloped.test(header.get("content-type") ?? "");
}
