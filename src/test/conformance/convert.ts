import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import {
  type ConformancePayload_RequestInfoSchema,
  type Error as ErrorMessage,
  ErrorSchema,
  type Header,
  HeaderSchema,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";

/** What a handler saw of a call beside its requests. */
export type RequestInfo = MessageInitShape<typeof ConformancePayload_RequestInfoSchema>;

/** Headers as the suite tells them. */
export function toHeaders(headers: Headers): Header[] {
  return [...headers].map(([name, value]) => create(HeaderSchema, { name, value: [value] }));
}

/** Adds headers that the suite asks for. */
export function addHeaders(target: Headers, headers: readonly Header[]): void {
  for (const { name, value } of headers) for (const one of value) target.append(name, one);
}

/** The suite asks for 2 s at the most: what is longer is the limit that our server sets where a caller asks for none. */
const ownLimitMs = 3_000;

/** The call as its handler sees it, but for its requests. */
export function requestInfo({ requestHeader, requestMethod, timeoutMs, url }: HandlerContext): RequestInfo {
  const leftMs = timeoutMs();
  const params = requestMethod === "GET" ? [...new URL(url).searchParams] : undefined;
  return {
    requestHeaders: toHeaders(requestHeader),
    ...(leftMs !== undefined && leftMs < ownLimitMs && { timeoutMs: BigInt(Math.floor(leftMs)) }),
    ...(params && { connectGetInfo: { queryParams: params.map(([name, value]) => ({ name, value: [value] })) } }),
  };
}

/** The error that the suite asks a handler for. */
export function toConnectError({ code, message = "", details }: ErrorMessage): ConnectError {
  const error = new ConnectError(message, code as number as Code);
  error.details = details.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value }));
  return error;
}

/** An error that a client was given, as the suite tells it. */
export function fromConnectError({ code, rawMessage, details }: ConnectError): ErrorMessage {
  const packed = details.flatMap((detail) =>
    "type" in detail ? [create(AnySchema, { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value })] : [],
  );
  return create(ErrorSchema, { code: code as number as ErrorMessage["code"], message: rawMessage, details: packed });
}
