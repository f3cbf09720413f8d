import type { Clock } from "../../base/clock.ts";
import { Deadlines } from "../../base/deadlines.ts";
import type { Perform } from "./call-transport.ts";
import type { Send } from "./rpc.ts";

/** Deadlines of calls that are sent without a mesh, which has its own: one timer a clock. */
const deadlinesOf = new WeakMap<Clock, Deadlines>();

/** Sends each call as one attempt, which ends when the time is over that its caller gives it. */
export function endingInTime(send: Send, clock: Clock): Perform {
  const deadlines = deadlinesBy(clock);
  return (call) => {
    const { method, message, isRaw, fields, timeoutMs } = call;
    if (timeoutMs !== undefined && timeoutMs > 0) {
      call.allowedMs = timeoutMs;
      call.endBy(clock.now() + timeoutMs, deadlines);
    }
    const given = timeoutMs !== undefined && timeoutMs > 0 ? timeoutMs : undefined;
    return send({
      method,
      message,
      isRaw,
      fields,
      timeoutMs: given,
      lifetime: call,
      onStreamEnd: (reason) => call.end(reason),
    });
  };
}

function deadlinesBy(clock: Clock): Deadlines {
  const known = deadlinesOf.get(clock);
  if (known !== undefined) return known;
  const made = new Deadlines(clock);
  deadlinesOf.set(clock, made);
  return made;
}
