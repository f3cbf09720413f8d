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
  expect(resetError({ code, reason: "why", isUnprocessed: false }).code).toBe(meaning);
});

test("what was not processed is UNAVAILABLE, whatever the connection was ended for", () => {
  for (const code of [ErrorCode.noError, ErrorCode.protocolError, ErrorCode.enhanceYourCalm]) {
    expect(resetError({ code, reason: "why", isUnprocessed: true }).code).toBe(Code.Unavailable);
  }
});
