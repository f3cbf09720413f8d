import { createContextKey, type Interceptor } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { linkSignals } from "../../base/signals.ts";
import { currentCall, deadlineKey } from "../../call/context.ts";
import { deadlineExceeded } from "../../call/errors.ts";
import { methodName } from "../../call/method.ts";
import { methodPolicy } from "../../call/policy.ts";
import { orAborted, untilAborted } from "../../call/stream.ts";

/** The timeout that the caller itself asked for, in milliseconds. */
export const timeoutKey = createContextKey<number | undefined>(undefined, { description: "timeout" });

/**
 * Gives the call its one deadline: the caller's or the contract's, never later than that of the call on whose behalf
 * it is made. It ends with that call, too.
 *
 * Outside of `retry`, so that all attempts share it.
 */
export function deadline(clock: Clock): Interceptor {
  return (next) => async (req) => {
    const parent = currentCall();
    const timeoutMs = req.contextValues.get(timeoutKey) ?? methodPolicy(req.method).timeoutMs;
    const own = timeoutMs === undefined ? Number.POSITIVE_INFINITY : clock.now() + timeoutMs;
    const deadlineAt = Math.min(own, parent?.deadlineAt ?? Number.POSITIVE_INFINITY);
    const leftMs = deadlineAt - clock.now();
    const late = () =>
      deadlineExceeded(`${methodName(req.method)} had ${Math.max(0, Math.round(leftMs))} ms and needed more`);
    if (leftMs <= 0) throw late();

    const link = linkSignals(req.signal, parent?.signal);
    const timer = leftMs === Number.POSITIVE_INFINITY ? undefined : clock.setTimer(leftMs, () => link.abort(late()));
    const end = () => {
      timer?.cancel();
      link[Symbol.dispose]();
    };
    if (timer !== undefined) req.contextValues.set(deadlineKey, deadlineAt);
    try {
      const res = await orAborted(next({ ...req, signal: link.signal }), link.signal);
      if (res.stream) return { ...res, message: untilAborted(res.message, link.signal, end) };
      end();
      return res;
    } catch (reason) {
      end();
      throw reason;
    }
  };
}
