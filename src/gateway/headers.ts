import { headers } from "../call/headers.ts";

/** Who calls, and as part of what. */
const passedOn = new Set([
  "authorization",
  "traceparent",
  "tracestate",
  "baggage",
  "idempotency-key",
  "accept-language",
]);

/** Begin with `x-` and belong to gRPC-Web's protocol. */
const ofGrpcWeb = new Set(["x-grpc-web", "x-user-agent"]);

/** One hop's business or one protocol's: the other side of the gateway has its own. */
const ofTheHop =
  /^(?:grpc-|connect-|trailer|access-control-|accept-|proxy-|content-(?:type|length|encoding)$|(?:te|transfer-encoding|connection|keep-alive|upgrade|date|server|vary|allow)$)/;

/** The headers of a request that its call carries on. */
export function passOnRequest(header: Headers): Headers {
  const out = new Headers();
  for (const [name, value] of header) {
    if (passedOn.has(name) || (name.startsWith("x-") && !ofGrpcWeb.has(name))) out.append(name, value);
  }
  return out;
}

/** Adds the headers of an answer, or its trailers, to those that the gateway answers with. */
export function passBack(from: Headers, to: Headers): void {
  for (const [name, value] of from) {
    if (!ofTheHop.test(name) || name === headers.retryPushback) to.append(name, value);
  }
}
