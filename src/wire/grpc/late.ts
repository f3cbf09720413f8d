import { Code, ConnectError } from "@connectrpc/connect";
import { deadlineExceeded } from "../../call/errors.ts";
import { methodName } from "../../call/method.ts";
import type { Attempt } from "./rpc.ts";

/** What whole milliseconds, which timers and the request's timeout are told in, may hide. */
const roundingMs = 1;

/**
 * The error that an attempt has failed with, or DEADLINE_EXCEEDED if its server has canceled it because its time was
 * over: gRPC's servers reset the stream then, and may be faster than the caller's own timer.
 */
export function orLate(
  reason: unknown,
  { method, timeoutMs }: Pick<Attempt, "method" | "timeoutMs">,
  tookMs: number,
): unknown {
  if (timeoutMs === undefined || !(reason instanceof ConnectError) || reason.code !== Code.Canceled) return reason;
  if (tookMs + roundingMs < Math.floor(timeoutMs)) return reason;
  return deadlineExceeded(
    `${methodName(method)} had ${Math.round(timeoutMs)} ms and needed more: its server gave it up`,
  );
}
