import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

const forwarded = new Set([
  "authorization",
  "traceparent",
  "tracestate",
  "baggage",
  "idempotency-key",
  "accept-language",
  "heddle-criticality",
]);
const ofTheProtocol =
  /^(?:grpc-|connect-|trailer|access-control-|accept-|proxy-|content-(?:type|length|encoding)$|(?:te|transfer-encoding|connection|keep-alive|upgrade|date|server|via|x-powered-by|vary|allow|location)$)/;
const utf8 = new TextEncoder();

/** The request headers that a call carries on: who calls, as part of what, how much it matters, and everything that begins with `x-`. */
export function callHeaders(header: Headers): Headers {
  const out = new Headers();
  for (const [name, value] of header) {
    if (forwarded.has(name) || (name.startsWith("x-") && !name.endsWith("-bin"))) out.append(name, value);
  }
  return out;
}

/** The answer's headers from those of a call: all but the ones that belong to the call's own protocol. */
export function answerHeaders(...sources: readonly Headers[]): Headers {
  const out = new Headers();
  for (const source of sources) {
    for (const [name, value] of source) if (!ofTheProtocol.test(name)) out.append(name, value);
  }
  return out;
}

/** An answer that is whole when it begins: JSON with its length. HEAD has the headers of GET and no body. */
export function jsonAnswer(status: number, json: string, header: Headers, method: string): UniversalServerResponse {
  const bytes = utf8.encode(json);
  header.set("content-type", "application/json");
  header.set("content-length", String(bytes.length));
  return method === "HEAD" ? { status, header } : { status, header, body: once(bytes) };
}

/** One value as the stream that Connect's types ask for. */
export async function* once<T>(value: T): AsyncGenerator<T, void, undefined> {
  yield value;
}
