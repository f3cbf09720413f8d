import { ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { OutgoingCall } from "../../call/outgoing-call.ts";
import { methodPolicy } from "../../call/policy.ts";
import { progressOf, withProgress } from "../../call/progress.ts";
import type { Channel } from "../channel.ts";
import type { ChannelOf } from "../channels.ts";
import { contractRetry } from "../policy/retry-policy.ts";
import type { Step } from "./step.ts";

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
export function retry(options: RetryOptions): Step {
  return (next) => async (call) => {
    const channel = options.channelOf(call.method.parent);
    channel.budget.deposit(options.clock.now());
    for (;;) {
      try {
        return await next(call);
      } catch (reason) {
        const waitMs = waitBeforeNext(call, ConnectError.from(reason), channel, options);
        if (waitMs > 0) await options.clock.sleep(waitMs, call.signal);
        call.attempt++;
      }
    }
  };
}

/** Milliseconds until the next attempt; throws the error when there is to be none. */
function waitBeforeNext(
  call: OutgoingCall,
  error: ConnectError,
  channel: Channel,
  { clock, random }: RetryOptions,
): number {
  const { attempt, tried } = call;
  const progress = progressOf(error);
  if (call.aborted || (call.isStream && progress !== "not-sent")) throw told(error, attempt);
  const remainingMs = (call.deadlineAt ?? Number.POSITIVE_INFINITY) - clock.now();
  const decide = contractRetry(methodPolicy(call.method).retry, random);
  const decision = decide({ attempt, error, progress, elsewhere: channel.hasOthers(tried), remainingMs });
  if (decision.kind === "stop") throw told(error, attempt);
  const isPaid = decision.free || channel.budget.withdraw(clock.now());
  if (!isPaid) throw told(error, attempt, "the retry budget is spent");
  return decision.waitMs;
}

/** The error, saying after how many attempts and why no further one was made, where that is news. */
function told(error: ConnectError, attempts: number, why = ""): ConnectError {
  if (attempts === 1 && why === "") return error;
  const message = `${error.rawMessage} (${attempts} ${attempts === 1 ? "attempt" : "attempts"}${why && `; ${why}`})`;
  const made = new ConnectError(message, error.code, error.metadata, undefined, error.cause);
  made.details = error.details;
  return withProgress(made, progressOf(error));
}
