import { ConnectError, createContextKey, type Interceptor } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { attemptKey, deadlineKey } from "../../call/context.ts";
import { methodPolicy } from "../../call/policy.ts";
import { progressOf, withProgress } from "../../call/progress.ts";
import type { ChannelOf } from "../channels.ts";
import { contractRetry } from "../policy/retry-policy.ts";

/** Ids of the endpoints that the call has tried. */
export const triedKey = createContextKey<Set<string>>(new Set(), { description: "endpoints tried" });

/** What retrying needs to know. */
export interface RetryOptions {
  readonly channelOf: ChannelOf;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Sends a failed attempt again while contract, budget and deadline all agree. A stream goes out again only if nothing
 * of it was sent: half a conversation cannot be taken back.
 *
 * Outside of `pick`, so that each attempt may land on another endpoint; inside of `deadline`, so that all share one.
 */
export function retry({ channelOf, clock, random }: RetryOptions): Interceptor {
  return (next) => async (req) => {
    const channel = channelOf(req.method.parent);
    const decide = contractRetry(methodPolicy(req.method).retry, random);
    const deadlineAt = req.contextValues.get(deadlineKey) ?? Number.POSITIVE_INFINITY;
    const tried = new Set<string>();
    req.contextValues.set(triedKey, tried);
    channel.budget.deposit(clock.now());
    for (let attempt = 1; ; attempt++) {
      req.contextValues.set(attemptKey, attempt);
      try {
        return await next(req);
      } catch (reason) {
        const error = ConnectError.from(reason);
        const progress = progressOf(error);
        if (req.signal.aborted || (req.stream && progress !== "not-sent")) throw told(error, attempt);
        const remainingMs = deadlineAt - clock.now();
        const decision = decide({ attempt, error, progress, elsewhere: channel.hasOthers(tried), remainingMs });
        if (decision.kind === "stop") throw told(error, attempt);
        if (!decision.free && !channel.budget.withdraw(clock.now()))
          throw told(error, attempt, "the retry budget is spent");
        if (decision.waitMs > 0) await clock.sleep(decision.waitMs, req.signal);
      }
    }
  };
}

/** The error, saying after how many attempts and why no further one was made, where that is news. */
function told(error: ConnectError, attempts: number, why = ""): ConnectError {
  if (attempts === 1 && why === "") return error;
  const message = `${error.rawMessage} (${attempts} ${attempts === 1 ? "attempt" : "attempts"}${why && `; ${why}`})`;
  const made = new ConnectError(message, error.code, error.metadata, undefined, error.cause);
  made.details = error.details;
  return withProgress(made, progressOf(error));
}
