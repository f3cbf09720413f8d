import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ErrorCode } from "../http2/errors.ts";
import { resetError } from "./reset-error.ts";

test.each([
  [ErrorCode.cancel, Code.Canceled],
  [ErrorCode.refusedStream, Code.Unavailable],
  [ErrorCode.enhanceYourCalm, Code.ResourceExhausted],
  [ErrorCode.inadequateSecurity, Code.PermissionDenied],
  [ErrorCode.protocolError, Code.Internal],
])("a reset with code %i is the code %i of gRPC", (code, meaning) => {
  expect(resetError(code, "why").code).toBe(meaning);
});
