import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorCode } from "../http2/errors.ts";

/** What a reset means to a call: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors */
export function resetError(code: number, reason: string): ConnectError {
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
