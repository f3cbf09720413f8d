import type { DescService } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import type { LoopLoad } from "../../base/loop-load.ts";
import { criticalityRank } from "../../call/criticality.ts";
import { codeOf } from "../../call/outcome.ts";
import type { ServedCall } from "../../call/served-call.ts";
import { overloaded } from "../overloaded.ts";
import { ConcurrencyLimit, type ConcurrencyLimitOptions } from "../policy/concurrency-limit.ts";
import { LoopOverload, type LoopOverloadOptions } from "../policy/loop-overload.ts";
import { Triage } from "../policy/triage.ts";
import type { DoorStep } from "./step.ts";

/** What a server takes upon itself before it refuses calls. */
export interface LimitOptions extends LoopOverloadOptions, ConcurrencyLimitOptions {}

/** What shedding needs. */
export interface ShedOptions {
  readonly limits: LimitOptions;
  readonly loop: LoopLoad;
  readonly clock: Clock;
  /** Services that are never refused: those that tell how the server is. */
  readonly exempt: ReadonlySet<DescService>;
}

/**
 * Refuses calls while that is cheap, if there are more than can be answered in time: those that matter least first,
 * and of those that matter the same, attempts after the first before first ones, since a retry that is answered means
 * less than a first attempt that need not be retried. Streams pass: what they cost does not come at once.
 *
 * Right behind `observe`, and before the request is even decoded: what is refused must cost next to nothing.
 */
export function shed(options: ShedOptions): DoorStep {
  const shedding = new Shedding(options);
  return (call) => shedding.admit(call);
}

/** How often the event loop is looked at, and how often the limit of calls in flight is set anew; on calls, not by timers. */
const lookMs = 100;
const windowMs = 500;

class Shedding {
  readonly #options: ShedOptions;
  readonly #overload: LoopOverload;
  readonly #triage = new Triage();
  readonly #limit: ConcurrencyLimit;
  #lookedAt: number;
  #limitSetAt: number;
  /** Whether there is anything to refuse for: else no call is asked what it is. */
  #isAlert = false;
  #delayMs = 0;
  /** What refused calls are told, made when the first is. */
  #tooBusy: ConnectError | undefined;
  #tooMany: ConnectError | undefined;

  constructor(options: ShedOptions) {
    const { limits, clock } = options;
    this.#options = options;
    this.#overload = new LoopOverload(limits);
    this.#limit = new ConcurrencyLimit(limits);
    this.#lookedAt = this.#limitSetAt = clock.now();
  }

  admit(call: ServedCall): undefined {
    const { clock, exempt } = this.#options;
    if (call.isStream || exempt.has(call.service)) return;
    const now = clock.now();
    if (Math.abs(now - this.#lookedAt) >= lookMs) this.#look(now);
    if (this.#isAlert) this.#judge(classOf(call));
    this.#limit.begin();
    call.onEnd((reason) => this.#ended(call, now, reason));
  }

  #judge(callClass: number): void {
    if (this.#overload.isPressed && this.#triage.refuses(callClass)) throw this.#busy();
    if (this.#limit.refuses(callClass)) throw this.#full();
  }

  #ended(call: ServedCall, startedAt: number, reason: unknown): void {
    const code = codeOf(reason, call);
    const isTelling = code === undefined || code === Code.DeadlineExceeded; // other errors may be quicker than answers
    const ms = isTelling ? this.#options.clock.now() - startedAt : undefined;
    this.#limit.end(call.method, ms, code === undefined);
  }

  #look(now: number): void {
    const reading = this.#options.loop.read();
    this.#overload.observe(reading, Math.max(0, now - this.#lookedAt));
    this.#triage.refuse(this.#overload.share);
    this.#lookedAt = now;
    this.#delayMs = reading.delayMs;
    if (Math.abs(now - this.#limitSetAt) >= windowMs) {
      this.#limit.adjust(Math.max(windowMs, now - this.#limitSetAt));
      this.#limitSetAt = now;
    }
    this.#isAlert = this.#overload.isPressed || this.#limit.limit !== Number.POSITIVE_INFINITY;
    this.#tooBusy = this.#tooMany = undefined;
  }

  #busy(): ConnectError {
    const delayMs = Math.round(this.#delayMs);
    this.#tooBusy ??= overloaded({
      message: `the server is overloaded: what arrives waits ${delayMs} ms until it is looked at`,
      metadata: { limit: "event-loop-delay", delay_ms: String(delayMs) },
      retryAfterMs: Math.min(1_000, Math.max(lookMs, delayMs)),
    });
    return this.#tooBusy;
  }

  #full(): ConnectError {
    const { limit } = this.#limit;
    this.#tooMany ??= overloaded({
      message: `the server is overloaded: more than ${Math.floor(limit)} calls at once keep each other waiting`,
      metadata: { limit: "in-flight", in_flight: String(Math.floor(limit)) },
      retryAfterMs: lookMs,
    });
    return this.#tooMany;
  }
}

/** 0, sheddable and tried before, to 5, critical and for the first time. */
function classOf(call: ServedCall): number {
  const isFirst = call.attempt === 1 && call.retryDepth === 0;
  return 2 * criticalityRank(call.criticality) + (isFirst ? 1 : 0);
}
