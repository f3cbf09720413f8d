import { Code, ConnectError, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import { fieldOf } from "../call/fields.ts";
import { headers } from "../call/headers.ts";
import type { OutgoingCall } from "../call/outgoing-call.ts";
import { progressOf } from "../call/progress.ts";
import { RawMessage, readMessage } from "../call/raw-message.ts";
import { routingKey } from "../call/routing-key.ts";
import type { Perform } from "../wire/grpc/call-transport.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import { hashOf } from "./balance/hash.ts";
import type { Channel } from "./channel.ts";
import type { ChannelOf } from "./channels.ts";
import { toldKey } from "./client.ts";
import { afterAttempts, fallbackAnswer, notToBeRepeated } from "./ends.ts";
import { type Entrant, enter } from "./entrance.ts";
import type { Faults } from "./faults/faults.ts";
import { Hedging } from "./hedging.ts";
import type { MeshHooks } from "./hooks.ts";
import { pushbackOf } from "./policy/pushback.ts";
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
class Attempts implements Entrant {
  readonly call: OutgoingCall;
  readonly #channel: Channel;
  readonly route: Route;
  readonly #options: AttemptsOptions;
  readonly story: Story;
  readonly #settle = Promise.withResolvers<Answer>();
  /** Most calls never have more than one. */
  readonly #underWay: Sending[] = [];
  readonly #tried: string[] = [];
  #state: "queued" | "running" | "over" = "queued";
  /** Counted from 1; one that found nobody to go to is one, too. */
  #attempts = 0;
  /** Only where the contract says so. */
  readonly #hedging: Hedging | undefined;
  #heldBytes = 0;
  /** Why the request is sent once only, if its length is why. */
  #tooLong: string | undefined;

  constructor(call: OutgoingCall, channel: Channel, options: AttemptsOptions) {
    const { method, fields, deadlineAt } = call;
    const startedAt = options.clock.now();
    this.call = call;
    this.#channel = channel;
    this.route = channel.route(method);
    this.#options = options;
    this.story = new Story(method, { traceparent: fieldOf(fields, headers.traceparent), startedAt, deadlineAt });
    const told = call.values?.get(toldKey);
    if (told !== undefined) told.story = this.story;
    this.#hedging = this.#hedged();
    if (!call.isStream) enter(this, options.clock);
    else this.begin(startedAt); // it may never end, and takes no place
  }

  #hedged(): Hedging | undefined {
    const { policy, latency } = this.route;
    if (policy.hedge === undefined) return undefined;
    return new Hedging({ rules: policy.hedge, latency, deadlines: this.#options.deadlines, race: () => this.#race() });
  }

  /** Resolves with the answer, or rejects with the error of the call. */
  get answer(): Promise<Answer> {
    return this.#settle.promise;
  }

  /** It may begin. */
  begin(now: number): void {
    this.#state = "running";
    if (this.call.retryDepth === 0) this.#channel.budget.deposit(this.route.method.name, now);
    else this.#channel.budget.pay(this.route.method.name, now);
    this.#send("first");
  }

  // ---- an attempt ----

  #send(kind: AttemptKind): void {
    this.#attempts++;
    this.#sendNow(kind);
  }

  #sendNow(kind: AttemptKind): void {
    try {
      const candidates = this.#channel.candidates(this.route);
      if (candidates.kind === "some") this.#sendTo(candidates, kind);
      else if (candidates.kind === "nobody") this.#failed(candidates.error);
      else this.#sendWhenKnown(kind);
    } catch (reason) {
      this.#end(ConnectError.from(reason, Code.Internal));
    }
  }

  #sendWhenKnown(kind: AttemptKind): void {
    this.story.note(this.#options.clock.now(), "waits until anything is known of the service's endpoints");
    this.#channel.known(this.call.signal).then(
      () => this.#sendNow(kind),
      (reason) => this.#end(ConnectError.from(reason, Code.Canceled)),
    );
  }

  #sendTo({ places, picker, choice }: Snapshot, kind: AttemptKind): void {
    const now = this.#options.clock.now();
    const place = picker.pick({ now, hash: this.#hash(), tried: this.#tried });
    this.#tried.push(place.endpoint.id);
    const made = { call: this.call, route: this.route, place, places, choice, kind, number: this.#attempts, now };
    const sending = new Sending(made, this.#options);
    this.story.attempt(sending.facts);
    this.#underWay.push(sending);
    if (kind === "first" && this.route.policy.retry.maxAttempts > 1) this.#hold(sending.sentBytes);
    this.#hedging?.plan({ ...this.#left(now), pushback: undefined });
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
    if (this.call.aborted || (this.call.isStream && progress !== "not-sent"))
      return this.#end(afterAttempts(error, this.#attempts));
    const now = this.#options.clock.now();
    const decision = this.route.retry({
      attempt: this.#attempts,
      error,
      progress,
      elsewhere: this.#channel.hasOthers(this.#tried),
      ...this.#left(now),
    });
    if (this.#underWay.length > 0 && !this.#isFinal(error)) return this.#waitForOther(error, now);
    if (decision.kind === "stop") return this.#giveUp(error, decision.why, now);
    const unpaid = decision.free ? undefined : this.#whyUnpaid(now);
    if (unpaid !== undefined) return this.#giveUp(error, unpaid, now, unpaid);
    const paid = decision.free ? "" : "; the retry budget lets it";
    this.story.note(now, `another attempt in ${Math.round(decision.waitMs)} ms: ${decision.why}${paid}`);
    this.#again(decision.waitMs);
  }

  /** Another attempt is under way, and may do better. */
  #waitForOther(error: ConnectError, now: number): void {
    this.story.note(now, "waits for the attempt that is still under way");
    const pushback = pushbackOf(error, now);
    if (pushback !== undefined) this.#hedging?.plan({ ...this.#left(now), pushback });
  }

  /** There is no further attempt; `news` is what the error says of that, beyond how many there were. */
  #giveUp(error: ConnectError, why: string, now: number, news = ""): void {
    this.story.note(now, `no further attempt: ${why}`);
    const told = afterAttempts(error, this.#attempts, news);
    const wasRepeatable = this.route.policy.retry.maxAttempts > 1 || progressOf(error) !== "processed";
    this.#end(wasRepeatable && !this.#isFinal(error) ? notToBeRepeated(told) : told);
  }

  /** Takes a repeat or a hedge out of the budget, or says why there is to be none. */
  #whyUnpaid(now: number): string | undefined {
    if (this.#tooLong !== undefined) return this.#tooLong;
    return this.#channel.budget.withdraw(this.route.method.name, now) ? undefined : "the retry budget is spent";
  }

  /** Whether the answer would be the same wherever it was asked for. */
  #isFinal(error: ConnectError): boolean {
    return progressOf(error) === "processed" && !this.route.policy.retry.codes.has(error.code);
  }

  #again(waitMs: number): void {
    if (waitMs <= 0) return this.#send("retry");
    this.#options.clock.sleep(waitMs, this.call.signal).then(
      () => this.#send("retry"),
      (reason) => this.#end(ConnectError.from(reason, Code.Canceled)),
    );
  }

  /** The attempt under way is slow. */
  #race(): void {
    const now = this.#options.clock.now();
    const not = this.#whyNoHedge(now);
    if (not === undefined) this.#send("hedge");
    else this.story.note(now, `no hedge: ${not}`);
  }

  #whyNoHedge(now: number): string | undefined {
    if (this.#underWay.length === 0) return "no attempt is under way";
    if (this.#attempts >= this.route.policy.retry.maxAttempts) return "attempts used up";
    if (!this.#channel.hasOthers(this.#tried)) return "no endpoint is left that was not tried";
    return this.#whyUnpaid(now);
  }

  // ---- the end ----

  /** It may not. */
  refuse(error: ConnectError): void {
    this.#end(error);
  }

  #end(error: ConnectError): void {
    if (this.#state === "over") return;
    const fallback = fallbackAnswer(this.call, error);
    this.story.isFallback = fallback !== undefined;
    this.#over(error);
    if (fallback === undefined) this.#settle.reject(error);
    else this.#settle.resolve(fallback);
  }

  /** Nothing more is to come of it: lets go of its place and of the attempts that are left. */
  #over(error?: ConnectError): void {
    const { clock, recent } = this.#options;
    const hadPlace = this.#state === "running" && !this.call.isStream;
    this.#state = "over";
    if (hadPlace) this.route.bulkhead.leave();
    this.#hedging?.takeBack();
    this.#channel.buffer.free(this.#heldBytes);
    for (const sending of [...this.#underWay]) sending.lose();
    this.story.end(clock.now(), error);
    recent.add(this.story);
  }

  /** What policies ask of the call at this instant. */
  #left(now: number) {
    const remainingMs = (this.call.deadlineAt ?? Number.POSITIVE_INFINITY) - now;
    return { retryDepth: this.call.retryDepth, remainingMs, now };
  }

  /** What picks go by where the service balances by a key of the request. */
  #hash(): number | undefined {
    if (!this.route.isKeyed) return undefined;
    const { message, fields } = this.call;
    const read = message instanceof RawMessage ? readMessage(this.route.method, message) : message;
    const key = routingKey(this.route.method, read, fields);
    return key === undefined ? undefined : hashOf(key);
  }
}
