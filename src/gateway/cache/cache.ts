import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport, type UnaryResponse } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { Lifetime } from "../../base/lifetime.ts";
import { type CurrentCall, currentCall, runDetached, runInCall } from "../../call/context.ts";
import { deadlineExceeded } from "../../call/errors.ts";
import { methodName } from "../../call/method.ts";
import type { MethodPolicy } from "../../call/policy.ts";
import type { TimeoutOf } from "../../server/time-limit.ts";
import { cacheKey } from "./cache-key.ts";
import { mayShare, told, wishOf } from "./cache-rules.ts";
import { type CachedAnswer, CachedAnswers } from "./cached-answers.ts";
import { Flight } from "./flight.ts";

/** What keeping answers needs. */
export interface CacheOptions {
  readonly upstream: Transport;
  readonly timeoutOf: TimeoutOf;
  /** Memory for answers; 0 keeps none. Calls that are equal and under way at once are one call all the same. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** One call of one caller, of a method whose contract says `cache`. */
export interface Asked {
  readonly method: DescMethodUnary;
  readonly policy: MethodPolicy;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly header: Headers;
  readonly message: Message;
}

/** Errors that are about one caller: another one asks for itself. */
const ofTheCaller: ReadonlySet<Code> = new Set([Code.Unauthenticated, Code.PermissionDenied]);

/** Errors that say that it took too long for those who waited first: who has more time asks together with others, once more. */
const ofTheTime: ReadonlySet<Code> = new Set([Code.DeadlineExceeded, Code.Canceled]);

/** Answers calls from what is kept, or by one call for all who ask for the same at the same time. */
export class Cache {
  readonly #options: CacheOptions;
  readonly #kept: CachedAnswers;
  readonly #flights = new Map<string, Flight<CachedAnswer>>();

  constructor(options: CacheOptions) {
    this.#options = options;
    this.#kept = new CachedAnswers(options.maxBytes);
  }

  /** The answer, kept or new, with how long it may be used further on. */
  async ask(asked: Asked): Promise<UnaryResponse> {
    const { answer, askedAt } = await this.#answerTo(asked);
    return mayShare(answer) ? told(answer, asked.policy, this.#options.clock.now() - askedAt) : answer;
  }

  async #answerTo(asked: Asked): Promise<CachedAnswer> {
    const key = cacheKey(asked);
    if (key === undefined) return this.#call(asked);
    const wish = wishOf(asked.header);
    if (wish.maxAgeMs > 0) {
      const kept = this.#kept.find(key, this.#options.clock.now(), wish.maxAgeMs);
      return kept ?? this.#together(asked, key);
    }
    const answered = await this.#call(asked);
    if (wish.mayKeep) this.#keep(key, answered);
    return answered;
  }

  /** Asks together with all who ask for the same now. Its time and its leaving are its own all the same. */
  async #together(asked: Asked, key: string): Promise<CachedAnswer> {
    const { clock } = this.#options;
    const endsAt = clock.now() + (asked.timeoutMs ?? Number.POSITIVE_INFINITY);
    const wait = this.#waiting(asked);
    try {
      const first = await this.#join(asked, key, wait);
      const outcome = first.kind === "ask again" ? await this.#join(asked, key, wait) : first;
      if (outcome.kind === "answered") return outcome.answered;
      if (outcome.kind === "ask again") throw outcome.reason;
    } finally {
      wait.end();
    }
    const leftMs = endsAt - clock.now();
    return this.#call({ ...asked, timeoutMs: Number.isFinite(leftMs) ? Math.max(1, leftMs) : undefined });
  }

  /** What comes of the call under way, or of one that it begins; what failed for another caller's reasons is nobody else's. */
  async #join(asked: Asked, key: string, wait: Lifetime): Promise<Outcome> {
    const known = this.#flights.get(key);
    const flight = known ?? this.#begin(asked, key);
    try {
      const answered = await flight.join(wait);
      return known === undefined || mayShare(answered.answer) ? { kind: "answered", answered } : { kind: "ask alone" };
    } catch (reason) {
      const { code } = ConnectError.from(reason);
      if (known === undefined || wait.aborted) throw reason;
      if (ofTheCaller.has(code)) return { kind: "ask alone" };
      if (ofTheTime.has(code)) return { kind: "ask again", reason };
      throw copyOf(reason);
    }
  }

  #begin(asked: Asked, key: string): Flight<CachedAnswer> {
    const flight: Flight<CachedAnswer> = new Flight({
      start: (signal) => this.#callForAll(asked, key, signal),
      onOver: () => {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      },
    });
    this.#flights.set(key, flight);
    return flight;
  }

  /** The call of whoever waits: it has the time that the contract gives it, or more, and no single caller ends it. */
  async #callForAll(asked: Asked, key: string, signal: AbortSignal): Promise<CachedAnswer> {
    const timeoutMs = Math.max(asked.timeoutMs ?? 0, this.#options.timeoutOf(asked.method) ?? 0) || undefined;
    const answered = await onBehalfOfAll(() => this.#call({ ...asked, signal, timeoutMs }));
    this.#keep(key, answered);
    return answered;
  }

  async #call({ method, policy, signal, timeoutMs, header, message }: Asked): Promise<CachedAnswer> {
    const askedAt = this.#options.clock.now();
    const answer: UnaryResponse = await this.#options.upstream.unary(method, signal, timeoutMs, header, message);
    return { answer, askedAt, maxAgeMs: policy.cache?.maxAgeMs ?? 0 };
  }

  #keep(key: string, answered: CachedAnswer): void {
    if (this.#options.maxBytes > 0 && mayShare(answered.answer)) this.#kept.keep(key, answered);
  }

  /** As long as the one who asks waits: until it leaves, or its time is over. */
  #waiting({ method, signal, timeoutMs }: Asked): Lifetime {
    const wait = new Lifetime();
    const call = currentCall();
    if (call instanceof Lifetime) wait.follow(call);
    if (signal !== undefined) wait.heed(signal);
    if (timeoutMs === undefined) return wait;
    const late = () => deadlineExceeded(`${methodName(method)} had ${Math.round(timeoutMs)} ms and needed more`);
    const timer = this.#options.clock.setTimer(timeoutMs, () => wait.cancel(late()));
    wait.onEnd(() => timer.cancel());
    return wait;
  }
}

/** The same error for another caller: what is said beside it is said to each of them. */
function copyOf(reason: unknown): ConnectError {
  const { rawMessage, code, metadata, details, cause } = ConnectError.from(reason);
  const copy = new ConnectError(rawMessage, code, metadata, undefined, cause);
  copy.details = details;
  return copy;
}

type Outcome =
  | { readonly kind: "answered"; readonly answered: CachedAnswer }
  | { readonly kind: "ask again"; readonly reason: unknown }
  | { readonly kind: "ask alone" };

/** Runs `fn` in the trace of the call being served and with its weight, and neither ended nor bounded by it. */
function onBehalfOfAll<T>(fn: () => T): T {
  const call = currentCall();
  if (call === undefined) return runDetached(fn);
  const { traceparent, tracestate, criticality, attempt, retryDepth } = call;
  const shared: CurrentCall = { traceparent, tracestate, criticality, attempt, retryDepth };
  return runInCall(shared, fn);
}
