import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { unavailable } from "../../call/errors.ts";
import { pushbackOf } from "./pushback.ts";

const now = Date.UTC(2026, 0, 1, 12);
const told = (metadata: HeadersInit) => pushbackOf(new ConnectError("busy", Code.Unavailable, metadata), now);

test.each([
  ["nothing", {}, undefined],
  ["gRPC's trailer", { "grpc-retry-pushback-ms": "120" }, 120],
  ["a negative trailer", { "grpc-retry-pushback-ms": "-1" }, "never"],
  ["a malformed trailer", { "grpc-retry-pushback-ms": "soon" }, "never"],
  ["Retry-After in seconds", { "retry-after": "3" }, 3_000],
  ["Retry-After as a date", { "retry-after": "Thu, 01 Jan 2026 12:00:07 GMT" }, 7_000],
  ["Retry-After as a date that has passed", { "retry-after": "Thu, 01 Jan 2026 11:00:00 GMT" }, 0],
  ["a malformed Retry-After", { "retry-after": "soon" }, undefined],
  ["the trailer before Retry-After", { "grpc-retry-pushback-ms": "120", "retry-after": "3" }, 120],
])("a server's wish not to be asked for a while is read from %s", (_, metadata, expected) => {
  expect(told(metadata)).toBe(expected);
});

test("RetryInfo says it too, before Retry-After", () => {
  const error = unavailable("busy", { reason: "R", domain: "made.v1", retryAfterMs: 90 });
  error.metadata.set("retry-after", "3");
  expect(pushbackOf(error, now)).toBe(90);
});

test("a delay below nothing in RetryInfo is none", () => {
  const error = unavailable("busy", { reason: "R", domain: "made.v1", retryAfterMs: -5_000 });
  expect(pushbackOf(error, now)).toBe(0);
});
