import type { DescMethod } from "@bufbuild/protobuf";
import { createContextValues } from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { Clock } from "../base/clock.ts";
import { deadlineKey } from "../call/context.ts";
import { formatGrpcTimeout, parseGrpcTimeout } from "../call/deadline.ts";
import { headers } from "../call/headers.ts";
import { methodPolicy } from "../call/policy.ts";
import { maxTimeoutMs } from "../call/policy-defaults.ts";
import { timelyBody } from "./timely-body.ts";

/** What limiting calls needs to know. */
export interface TimeLimitOptions {
  readonly clock: Clock;
  /** By default what the contract says. */
  readonly timeoutOf?: TimeoutOf;
}

/** How long a call of the method may take where its caller does not say, in milliseconds; `undefined`, endlessly. */
export type TimeoutOf = (method: DescMethod) => number | undefined;

/** The longest span that a timer can hold, in milliseconds; Connect's fires at once above it. */
export const longestMs = 2 ** 31 - 1;

/**
 * The request with the time it may take: what its caller asks for, or else what `timeoutOf` says; 60 s at the most, save
 * for a stream, which may as well be endless.
 * Connect reads the header and keeps the deadline; the context value lets nested calls inherit it.
 */
export function timeLimited(
  request: UniversalServerRequest,
  method: DescMethod,
  { clock, timeoutOf = byContract }: TimeLimitOptions,
): UniversalServerRequest {
  const grpc = (request.header.get("content-type") ?? "").startsWith("application/grpc");
  const name = grpc ? headers.grpcTimeout : headers.connectTimeout;
  const asked = request.header.get(name);
  const askedMs = asked === null ? timeoutOf(method) : grpc ? parseGrpcTimeout(asked) : parseMs(asked);
  if (askedMs === undefined) return request; // an endless stream, or a malformed header that Connect will refuse
  const timeoutMs = Math.min(askedMs, method.methodKind === "unary" ? maxTimeoutMs : longestMs);
  request.header.set(name, grpc ? formatGrpcTimeout(timeoutMs) : String(Math.max(1, Math.floor(timeoutMs))));
  const deadlineAt = clock.now() + timeoutMs;
  const contextValues = request.contextValues ?? createContextValues();
  contextValues.set(deadlineKey, deadlineAt);
  return { ...request, contextValues, body: timelyBody(request.body, deadlineAt, clock) };
}

const byContract: TimeoutOf = (method) => methodPolicy(method).timeoutMs;

function parseMs(value: string): number | undefined {
  return /^\d{1,10}$/.test(value) ? Number(value) : undefined;
}
