import { clone, type DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import type { Deadlines, Due } from "../base/deadlines.ts";
import type { CancelListener } from "../base/lifetime.ts";
import { deadlineExceeded, errorReason, resourceExhausted } from "../call/errors.ts";
import { fallbackKey } from "../call/fallback.ts";
import { fieldOf } from "../call/fields.ts";
import { headers } from "../call/headers.ts";
import { methodName } from "../call/method.ts";
import type { OutgoingCall } from "../call/outgoing-call.ts";
import { progressOf, withProgress } from "../call/progress.ts";
import { routingKey } from "../call/routing-key.ts";
import type { Perform } from "../wire/grpc/call-transport.ts";
import { whole } from "../wire/grpc/messages.ts";
import { UnaryAnswer } from "../wire/grpc/unary-answer.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import { hashOf } from "./balance/hash.ts";
import type { Channel } from "./channel.ts";
import type { ChannelOf } from "./channels.ts";
import { toldKey } from "./client.ts";
import type { Faults } from "./faults/faults.ts";
import type { MeshHooks } from "./hooks.ts";
import type { Waiter } from "./policy/bulkhead.ts";
import { tooLate } from "./policy/early-refusal.ts";
import { hedgeDelayMs } from "./policy/hedge-policy.ts";
import { type Pushback, pushbackOf } from "./policy/pushback.ts";
import type { Recent } from "./recent.ts";
import type { Route, Snapshot } from "./route.ts";
import { Sending } from "./sending.ts";
import { type AttemptKind, Story } from "./story.ts";

/** What attempts are made with. */
export interface AttemptsOptions {
  readonly channelOf: ChannelOf;
  readonly sessions: SessionPool;
  readonly deadlines: Deadlines;
  readonly hooks: MeshHooks;
  readonly clock: Clock;
  /** Keeps the stories of calls that have ended. */
  readonly recent: Recent;
  /** What goes wrong on purpose. By default nothing. */
  readonly faults?: Faults;
}

/** Performs a call by as many attempts as contract, budget, circuits and deadline let it have. */
export function attempting(options: AttemptsOptions): Perform {
  return (call) => new Attempts(call, options.channelOf(call.method.parent), options).answer;
}

type Answer = UnaryResponse | StreamResponse;

/**
 * The attempts of one call, from the first send to the last outcome: the one owner of what happens to it. It waits for
 * a place, picks an endpoint, sends, and when an attempt fails or is slow asks the policies whether there is to be
 * another. It ends once, with an answer, a fallback or an error; what is still under way then is canceled and counts
 * for nobody.
 */
class Attempts implements Due, CancelListener, Waiter {
  readonly #call: OutgoingCall;
  readonly #channel: Channel;
  readonly #route: Route;
  readonly #options: AttemptsOptions;
  readonly #story: Story;
  readonly #settle = Promise.withResolvers<Answer>();
  /** Most calls never have more than one. */
  readonly #underWay: Sending[] = [];
  readonly #tried: string[] = [];
  #state: "queued" | "running" | "over" = "queued";
  /** Counted from 1; one that found nobody to go to is one, too. */
  #attempts = 0;
  #hedges = 0;
  #hedgeAt: number | undefined;
  #heldBytes = 0;
  /** Why the request is sent once only, if its length is why. */
  #tooLong: string | undefined;

  constructor(call: OutgoingCall, channel: Channel, options: AttemptsOptions) {
    const { method, fields, deadlineAt } = call;
    const startedAt = options.clock.now();
    this.#call = call;
    this.#channel = channel;
    this.#route = channel.route(method);
    this.#options = options;
    this.#story = new Story(method, { traceparent: fieldOf(fields, headers.traceparent), startedAt, deadlineAt });
    const told = call.values?.get(toldKey);
    if (told !== undefined) told.story = this.#story;
    this.#enter(startedAt);
  }

  /** Resolves with the answer, or rejects with the error of the call. */
  get answer(): Promise<Answer> {
    return this.#settle.promise;
  }

  // ---- before the first attempt ----

  /** Refuses what would come too late, and lets the rest in when there is a place. Streams take none: they may never end. */
  #enter(now: number): void {
    const { deadlineAt, isStream } = this.#call;
    if (isStream) return this.#begin(now);
    const { bulkhead, latency } = this.#route;
    const late = deadlineAt === undefined ? undefined : tooLate(deadlineAt - now, latency, now);
    if (late !== undefined) return this.#end(withProgress(deadlineExceeded(`${this.#name} ${late}`), "not-sent"));
    const entered = bulkhead.enter(this);
    if (entered === "in") return this.#begin(now);
    if (entered === "full") return this.#end(this.#full());
    this.#story.note(now, "waits for a place: as many calls as may be are under way");
    this.#call.onCancel(this);
  }

  /** There is a place, after a wait. */
  admitted(): void {
    this.#call.offCancel(this);
    const now = this.#options.clock.now();
    this.#story.note(now, "has a place");
    this.#begin(now);
  }

  /** Its caller gave up, or its deadline has passed, while it waited for a place. */
  canceled(reason: unknown): void {
    if (this.#state !== "queued") return;
    this.#route.bulkhead.giveUp(this);
    this.#end(ConnectError.from(reason, Code.Canceled));
  }

  #begin(now: number): void {
    this.#state = "running";
    this.#channel.budget.deposit(this.#route.method.name, now);
    this.#send("first");
    this.#planHedge(now);
  }

  #full(): ConnectError {
    const message = `${this.#channel.service} has ${this.#route.bulkhead.why}`;
    const info = { reason: "BULKHEAD_FULL", domain: "heddle", metadata: { service: this.#channel.service } };
    return withProgress(resourceExhausted(message, info), "not-sent");
  }

  // ---- an attempt ----

  #send(kind: AttemptKind): void {
    this.#attempts++;
    this.#sendNow(kind);
  }

  #sendNow(kind: AttemptKind): void {
    try {
      const candidates = this.#channel.candidates(this.#route);
      if (candidates.kind === "some") this.#sendTo(candidates, kind);
      else if (candidates.kind === "nobody") this.#failed(candidates.error);
      else this.#sendWhenKnown(kind);
    } catch (reason) {
      this.#end(ConnectError.from(reason, Code.Internal));
    }
  }

  #sendWhenKnown(kind: AttemptKind): void {
    this.#story.note(this.#options.clock.now(), "waits until anything is known of the service's endpoints");
    this.#channel.known(this.#call.signal).then(
      () => this.#sendNow(kind),
      (reason) => this.#end(ConnectError.from(reason, Code.Canceled)),
    );
  }

  #sendTo({ places, picker }: Snapshot, kind: AttemptKind): void {
    const now = this.#options.clock.now();
    const place = picker.pick({ now, hash: this.#hash(), tried: this.#tried });
    this.#tried.push(place.endpoint.id);
    const made = { call: this.#call, route: this.#route, place, places, kind, number: this.#attempts, now };
    const sending = new Sending(made, this.#options);
    this.#story.attempts.push(sending.facts);
    this.#underWay.push(sending);
    if (kind === "first" && this.#route.policy.retry.maxAttempts > 1) this.#hold(sending.sentBytes);
    sending.sent.then(
      (res) => this.#answered(sending, res),
      (reason) => this.#broke(sending, reason),
    );
  }

  #answered(sending: Sending, res: Answer): void {
    this.#took(sending);
    if (res.stream) sending.begun();
    else {
      sending.learn(res);
      sending.ended();
    }
    if (this.#state === "over") return; // another was faster
    this.#over();
    this.#settle.resolve(res);
  }

  #broke(sending: Sending, reason: unknown): void {
    this.#took(sending);
    sending.ended(reason);
    if (this.#state !== "over") this.#failed(ConnectError.from(reason, Code.Internal));
  }

  #took(sending: Sending): void {
    this.#underWay.splice(this.#underWay.indexOf(sending), 1);
  }

  /** Keeps the request in case it is to be sent again, if there is room. */
  #hold(bytes: number): void {
    const { buffer } = this.#channel;
    if (buffer.hold(bytes)) this.#heldBytes = bytes;
    else this.#tooLong = buffer.why(bytes);
  }

  // ---- another attempt ----

  /** An attempt has failed, or could not be made. */
  #failed(error: ConnectError): void {
    const progress = progressOf(error);
    if (this.#call.aborted || (this.#call.isStream && progress !== "not-sent")) return this.#end(this.#told(error));
    const now = this.#options.clock.now();
    const decision = this.#route.retry({
      attempt: this.#attempts,
      error,
      progress,
      elsewhere: this.#channel.hasOthers(this.#tried),
      retryDepth: this.#call.retryDepth,
      remainingMs: this.#remainingMs(now),
      now,
    });
    if (this.#underWay.length > 0 && !this.#isFinal(error)) return this.#waitForOther(error, now);
    if (decision.kind === "stop") {
      this.#story.note(now, `no further attempt: ${decision.why}`);
      return this.#end(this.#told(error));
    }
    if (!decision.free && this.#tooLong !== undefined) {
      this.#story.note(now, this.#tooLong);
      return this.#end(this.#told(error));
    }
    if (!decision.free && !this.#channel.budget.withdraw(this.#route.method.name, now)) {
      this.#story.note(now, "no further attempt: the retry budget is spent");
      return this.#end(this.#told(error, "the retry budget is spent"));
    }
    this.#story.note(now, `another attempt in ${Math.round(decision.waitMs)} ms: ${decision.why}`);
    this.#again(decision.waitMs);
  }

  /** Another attempt is under way, and may do better. */
  #waitForOther(error: ConnectError, now: number): void {
    this.#story.note(now, "waits for the attempt that is still under way");
    const pushback = pushbackOf(error, now);
    if (pushback === undefined) return;
    this.#takeHedgeBack();
    this.#planHedge(now, pushback);
  }

  /** Whether the answer would be the same wherever it was asked for. */
  #isFinal(error: ConnectError): boolean {
    return progressOf(error) === "processed" && !this.#route.policy.retry.codes.has(error.code);
  }

  #again(waitMs: number): void {
    if (waitMs <= 0) return this.#send("retry");
    this.#options.clock.sleep(waitMs, this.#call.signal).then(
      () => this.#send("retry"),
      (reason) => this.#end(ConnectError.from(reason, Code.Canceled)),
    );
  }

  #planHedge(now: number, pushback?: Pushback): void {
    const { hedge } = this.#route.policy;
    if (hedge === undefined || this.#state === "over") return;
    const { retryDepth } = this.#call;
    const facts = { extras: this.#hedges, pushback, retryDepth, remainingMs: this.#remainingMs(now), now };
    const afterMs = hedgeDelayMs(hedge, this.#route.latency, facts);
    if (afterMs === undefined) return;
    this.#hedgeAt = now + afterMs;
    this.#options.deadlines.add(this.#hedgeAt, this);
  }

  /** The attempt under way has taken as long as a hedge waits for. */
  expire(): void {
    this.#hedgeAt = undefined;
    const now = this.#options.clock.now();
    const not = this.#whyNoHedge(now);
    if (not !== undefined) return this.#story.note(now, `no hedge: ${not}`);
    this.#hedges++;
    this.#send("hedge");
    this.#planHedge(now);
  }

  #takeHedgeBack(): void {
    if (this.#hedgeAt !== undefined) this.#options.deadlines.remove(this.#hedgeAt, this);
    this.#hedgeAt = undefined;
  }

  #whyNoHedge(now: number): string | undefined {
    if (this.#underWay.length === 0) return "no attempt is under way";
    if (this.#attempts >= this.#route.policy.retry.maxAttempts) return "attempts used up";
    if (this.#tooLong !== undefined) return this.#tooLong;
    if (!this.#channel.hasOthers(this.#tried)) return "no endpoint is left that was not tried";
    return this.#channel.budget.withdraw(this.#route.method.name, now) ? undefined : "the retry budget is spent";
  }

  // ---- the end ----

  #end(error: ConnectError): void {
    if (this.#state === "over") return;
    const fallback = this.#fallback(error);
    this.#over(error);
    if (fallback === undefined) this.#settle.reject(error);
    else this.#settle.resolve(fallback);
  }

  /** Nothing more is to come of it: lets go of its place and of the attempts that are left. */
  #over(error?: ConnectError): void {
    const { clock, recent } = this.#options;
    const hadPlace = this.#state === "running" && !this.#call.isStream;
    this.#state = "over";
    if (hadPlace) this.#route.bulkhead.leave();
    this.#takeHedgeBack();
    this.#channel.buffer.free(this.#heldBytes);
    for (const sending of [...this.#underWay]) sending.lose();
    this.#story.end(clock.now(), error);
    recent.add(this.#story);
  }

  /** What answers where nobody could be asked: the caller's own, or the contract's. */
  #fallback(error: ConnectError): UnaryAnswer | undefined {
    if (
      error.code === Code.DeadlineExceeded ||
      progressOf(error) !== "not-sent" ||
      this.#call.aborted ||
      this.#call.isStream
    )
      return undefined;
    const { method, policy } = this.#route;
    const own = this.#call.values?.get(fallbackKey)?.(error);
    const message =
      own === undefined ? policy.fallback && clone(method.output, policy.fallback) : whole(method.output, own);
    if (message === undefined) return undefined;
    const reason = errorReason(error)?.reason ?? "NOT_SENT";
    this.#story.note(
      this.#options.clock.now(),
      `answered by the fallback, for nobody could be asked: ${error.rawMessage}`,
    );
    return new UnaryAnswer(method as DescMethodUnary, message, [headers.fallback, reason], undefined);
  }

  /** The error, saying after how many attempts and why no further one was made, where that is news. */
  #told(error: ConnectError, why = ""): ConnectError {
    const attempts = this.#attempts;
    if (attempts === 1 && why === "") return error;
    const message = `${error.rawMessage} (${attempts} ${attempts === 1 ? "attempt" : "attempts"}${why && `; ${why}`})`;
    const made = new ConnectError(message, error.code, error.metadata, undefined, error.cause);
    made.details = error.details;
    return withProgress(made, progressOf(error));
  }

  #remainingMs(now: number): number {
    return (this.#call.deadlineAt ?? Number.POSITIVE_INFINITY) - now;
  }

  get #name(): string {
    return methodName(this.#route.method);
  }

  /** What picks go by where the service balances by a key of the request. */
  #hash(): number | undefined {
    if (!this.#route.isKeyed) return undefined;
    const key = routingKey(this.#route.method, this.#call.message, this.#call.fields);
    return key === undefined ? undefined : hashOf(key);
  }
}
