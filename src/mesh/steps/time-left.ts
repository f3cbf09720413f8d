import type { Interceptor } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { linkSignals } from "../../base/signals.ts";
import { attemptKey, deadlineKey } from "../../call/context.ts";
import { formatGrpcTimeout } from "../../call/deadline.ts";
import { deadlineExceeded } from "../../call/errors.ts";
import { headers } from "../../call/headers.ts";
import { methodName } from "../../call/method.ts";
import { methodPolicy } from "../../call/policy.ts";
import { orAborted } from "../../call/stream.ts";

/**
 * Tells the server how long this attempt has, and ends the attempt when that has passed.
 *
 * Inside of `retry`: headers are set anew for each attempt.
 */
export function timeLeft(clock: Clock): Interceptor {
  return (next) => async (req) => {
    const deadlineAt = req.contextValues.get(deadlineKey);
    const attempt = req.contextValues.get(attemptKey);
    if (attempt > 1) req.header.set(headers.previousAttempts, String(attempt - 1));
    if (deadlineAt === undefined) return next(req);

    const callLeftMs = deadlineAt - clock.now();
    const ownMs = req.stream ? undefined : methodPolicy(req.method).retry.perAttemptTimeoutMs;
    if (ownMs === undefined || ownMs >= callLeftMs) {
      req.header.set(headers.grpcTimeout, formatGrpcTimeout(callLeftMs));
      return next(req);
    }
    req.header.set(headers.grpcTimeout, formatGrpcTimeout(ownMs));
    using link = linkSignals(req.signal);
    const late = () => deadlineExceeded(`attempt ${attempt} of ${methodName(req.method)} took more than ${ownMs} ms`);
    const timer = clock.setTimer(ownMs, () => link.abort(late()));
    try {
      return await orAborted(next({ ...req, signal: link.signal }), link.signal);
    } finally {
      timer.cancel();
    }
  };
}
