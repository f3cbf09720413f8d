import { Code, ConnectError } from "@connectrpc/connect";
import { invalidArgument } from "../call/errors.ts";

/** A request that is turned down before any call is made, with an HTTP status that no gRPC code stands for. */
export class Refusal extends Error {
  readonly status: number;
  readonly error: ConnectError;
  readonly header: Readonly<Record<string, string>>;

  constructor(status: number, error: ConnectError, header: Readonly<Record<string, string>> = {}) {
    super(error.rawMessage);
    this.name = "Refusal";
    this.status = status;
    this.error = error;
    this.header = header;
  }
}

/** 405: the path exists, the method does not. `Allow` names those that do. */
export function wrongMethod(method: string, allow: readonly string[]): Refusal {
  const message = `${method} is not allowed here; allowed: ${allow.join(", ")}`;
  return new Refusal(405, new ConnectError(message, Code.Unimplemented), { allow: allow.join(", ") });
}

/** 426: what is here streams its requests, for which one request of HTTP has no room. */
export function needsWebSocket({ httpVersion }: { readonly httpVersion: string }): Refusal {
  const error = new ConnectError("this method takes a stream of requests: open a WebSocket here", Code.Unimplemented);
  return new Refusal(426, error, httpVersion.startsWith("1") ? { upgrade: "websocket" } : {}); // RFC 9113 §8.2.2: not in HTTP/2
}

/** 413: more than is read into memory for one request. */
export function bodyTooLarge(maxBodyBytes: number): Refusal {
  return new Refusal(413, new ConnectError(`the body is over ${maxBodyBytes} bytes`, Code.ResourceExhausted));
}

/** 414: nobody needs a path and query that long. */
export function urlTooLong(maxUrlLength: number): Refusal {
  return new Refusal(414, new ConnectError(`the URL is over ${maxUrlLength} characters`, Code.InvalidArgument));
}

/** 415: the body is not JSON. Says what is accepted, as a header too (RFC 7694, RFC 9110 §15.5.16). */
export function notJson(reason: string): Refusal {
  return new Refusal(415, new ConnectError(reason, Code.InvalidArgument), { accept: "application/json" });
}

/** 415: the body is compressed in a way that is not read here. Says which are, as a header too (RFC 9110 §12.5.3). */
export function unknownEncoding(encoding: string, accepted: string): Refusal {
  const reason = `a body in Content-Encoding ${encoding} is not read here: send it plain, or in one of ${accepted}`;
  return new Refusal(415, new ConnectError(reason, Code.InvalidArgument), { "accept-encoding": accepted });
}

/** 400 that names the field, in the spelling the caller used. */
export function badField(field: string, description: string): ConnectError {
  return invalidArgument([{ field, description }]);
}

/** 400 for a request that cannot be read at all. */
export function unreadable(reason: string): ConnectError {
  return new ConnectError(reason, Code.InvalidArgument);
}
