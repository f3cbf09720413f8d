import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorCode } from "../http2/errors.ts";
import type { Reset } from "../http2/events.ts";

/**
 * What a reset means to a call: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors
 *
 * What a GOAWAY says was not processed counts as refused, whatever the GOAWAY's own code is: it is about the connection.
 */
export function resetError({ code: told, reason, isUnprocessed }: Omit<Reset, "by">): ConnectError {
  const code = isUnprocessed ? ErrorCode.refusedStream : told;
  return new ConnectError(`the stream was reset: ${reason} (0x${code.toString(16)})`, meaning(code));
}

function meaning(code: number): Code {
  switch (code) {
    case ErrorCode.cancel:
      return Code.Canceled;
    case ErrorCode.refusedStream:
      return Code.Unavailable;
    case ErrorCode.enhanceYourCalm:
      return Code.ResourceExhausted;
    case ErrorCode.inadequateSecurity:
      return Code.PermissionDenied;
    default:
      return Code.Internal;
  }
}
