import { Code, ConnectError } from "@connectrpc/connect";
import { systemClock } from "../../base/clock.ts";
import { runInCall } from "../../call/context.ts";
import { errorReason } from "../../call/errors.ts";

/** What callers can tell a failure by, as "Unavailable DATABASE_BUSY"; "" where there is none. */
export async function told(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "";
  } catch (reason) {
    return reason instanceof ConnectError ? `${Code[reason.code]} ${errorReason(reason)?.reason}` : String(reason);
  }
}

/** Runs `work` on behalf of a call that has so much time. */
export function inCallOf<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  return runInCall({ deadlineAt: systemClock.now() + timeoutMs }, work);
}
