import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { FieldHeaders, putField } from "../../call/field-headers.ts";
import { WholeBody } from "../../call/whole-body.ts";

const forwarded = new Set([
  "authorization",
  "traceparent",
  "tracestate",
  "baggage",
  "idempotency-key",
  "accept-language",
  "heddle-criticality",
  "cache-control",
]);
const ofTheProtocol =
  /^(?:grpc-|connect-|trailer|access-control-|accept-|proxy-|content-(?:type|length|encoding)$|(?:te|transfer-encoding|connection|keep-alive|upgrade|date|server|via|x-powered-by|vary|allow|location)$)/;

/** The request headers that a call carries on: who calls, as part of what, how much it matters, how old the answer may be, and everything that begins with `x-`. */
export function callHeaders(header: Headers): Headers {
  const out: string[] = [];
  header.forEach((value, name) => {
    if (forwarded.has(name) || (name.startsWith("x-") && !name.endsWith("-bin"))) out.push(name, value);
  });
  return new FieldHeaders(out);
}

/** The answer's headers from those of a call: all but the ones that belong to the call's own protocol. */
export function answerHeaders(...sources: readonly Headers[]): Headers {
  const out: string[] = [];
  const add = (value: string, name: string) => {
    if (!ofTheProtocol.test(name)) out.push(name, value);
  };
  for (const source of sources) source.forEach(add);
  return new FieldHeaders(out);
}

/** An answer that is whole when it begins: JSON with its length. HEAD has the headers of GET and no body. */
export function jsonAnswer(status: number, json: string, header: Headers, method: string): UniversalServerResponse {
  const body = new WholeBody(json);
  putField(header, "content-type", "application/json");
  putField(header, "content-length", String(body.sizeBytes));
  return method === "HEAD" ? { status, header } : { status, header, body };
}

/** One value as the stream that Connect's types ask for. */
export async function* once<T>(value: T): AsyncGenerator<T, void, undefined> {
  yield value;
}
