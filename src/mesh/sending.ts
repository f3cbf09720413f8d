import { Code, ConnectError, type StreamResponse, type UnaryResponse } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import type { Lifetime } from "../base/lifetime.ts";
import { deadlineExceeded } from "../call/errors.ts";
import type { Fields } from "../call/fields.ts";
import { headers } from "../call/headers.ts";
import { hopFields } from "../call/hop.ts";
import { methodName } from "../call/method.ts";
import { codeOf, type Verdict, verdictOf } from "../call/outcome.ts";
import type { OutgoingCall } from "../call/outgoing-call.ts";
import { TimedLifetime } from "../call/timed-lifetime.ts";
import type { Attempt } from "../wire/grpc/rpc.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import type { Faults } from "./faults/faults.ts";
import type { MeshHooks } from "./hooks.ts";
import type { Place } from "./place.ts";
import type { Permit } from "./policy/circuit.ts";
import { pushbackOf } from "./policy/pushback.ts";
import { targetOf } from "./resolve/static.ts";
import type { Route } from "./route.ts";
import { type AttemptFacts, type AttemptKind, brief, type Choice } from "./story.ts";

/** Which attempt, of what, to whom. */
export interface SendingInit {
  readonly call: OutgoingCall;
  readonly route: Route;
  /** The one that was picked, and those that it was picked from. */
  readonly place: Place;
  readonly places: readonly Place[];
  readonly choice: Choice;
  readonly kind: AttemptKind;
  /** Counted from 1. */
  readonly number: number;
  readonly now: number;
}

/** What attempts are sent with. */
export interface SendingParts {
  readonly sessions: SessionPool;
  readonly deadlines: Deadlines;
  readonly hooks: MeshHooks;
  readonly clock: Clock;
  /** What goes wrong on purpose. By default nothing. */
  readonly faults?: Faults;
}

/** One attempt, and what its endpoint, its circuit and the hooks hear of it. */
export class Sending {
  readonly facts: AttemptFacts;
  /** Resolves with the answer; rejects with an error that knows how far the attempt got. */
  readonly sent: Promise<UnaryResponse | StreamResponse>;
  /** How long its request is, in bytes; 0 where that is not known. */
  sentBytes = 0;
  readonly #route: Route;
  readonly #place: Place;
  readonly #parts: SendingParts;
  readonly #permit: Permit;
  /** Its own, where it may be canceled and the call not. */
  readonly #own: TimedLifetime | undefined;
  readonly #call: OutgoingCall;
  #hasBegun = false;

  constructor({ call, route, place, places, choice, kind, number, now }: SendingInit, parts: SendingParts) {
    this.#call = call;
    this.#route = route;
    this.#place = place;
    this.#parts = parts;
    const leftMs = call.deadlineAt === undefined ? undefined : call.deadlineAt - now;
    const ownMs = call.isStream ? undefined : route.policy.retry.perAttemptTimeoutMs;
    const timeoutMs = ownMs === undefined || (leftMs !== undefined && leftMs <= ownMs) ? leftMs : ownMs;
    this.facts = {
      number,
      kind,
      endpoint: place.endpoint,
      choice,
      costs: costsOf(choice.endpoints.length === 0 ? [place] : places, now),
      startedAt: now,
      timeoutMs,
      endedAt: undefined,
      code: undefined,
      message: undefined,
      opened: undefined,
    };
    this.#own =
      timeoutMs !== leftMs || route.policy.hedge !== undefined ? this.#ownLifetime(timeoutMs, now) : undefined;
    this.#permit = place.circuit(route).admit(now);
    place.load.begin(now);
    this.sent = this.#send(timeoutMs);
  }

  /** A stream has begun to be answered: for a circuit that is on trial this is enough, for it may go on without end. */
  begun(): void {
    const now = this.#parts.clock.now();
    this.#hasBegun = true;
    this.#place.load.answered(now - this.facts.startedAt, now);
    const circuit = this.#place.circuit(this.#route);
    if (circuit.state === "on-trial") circuit.record("ok", this.#permit, now);
  }

  /** It was answered: takes in what the answer says of the server's load, where servers are asked for it. */
  learn(answer: UnaryResponse | StreamResponse): void {
    if (this.#route.wantsReports) this.#place.learn(answer, this.#parts.clock.now());
  }

  /** It has ended: well, or with an error. Once. */
  ended(reason?: unknown): void {
    const { facts } = this;
    const now = this.#parts.clock.now();
    const durationMs = now - facts.startedAt;
    const lifetime = this.#lifetime;
    const code = codeOf(reason, lifetime);
    facts.endedAt = now;
    facts.code = code;
    if (reason !== undefined)
      facts.message = brief(ConnectError.from(lifetime.aborted ? lifetime.reason : reason).rawMessage);
    this.#own?.end();
    if (this.#own !== undefined) this.#call.offCancel(this.#own);
    this.#tellPlace(this.#hadTime(code) ? verdictOf(code) : "neither", durationMs, reason, now);
    const { method } = this.#route;
    const { number: attempt, endpoint } = facts;
    this.#parts.hooks.attemptEnded?.({ method, attempt, endpoint, code, durationMs, fault: facts.fault });
  }

  /** Another attempt was faster, or the call has failed: what is left of this one costs no more than a reset. */
  lose(): void {
    this.#own?.cancel(new ConnectError("not needed any more: the call has ended", Code.Canceled));
  }

  /** Whether what it came to says anything of the endpoint: not that it was late, if its caller gave it next to no time. */
  #hadTime(code: Code | undefined): boolean {
    const { timeoutMs: givenMs } = this.facts;
    if (code !== Code.DeadlineExceeded || givenMs === undefined) return true;
    const { timeoutMs = fairMs, retry } = this.#route.policy;
    return givenMs >= Math.min(fairMs, timeoutMs, retry.perAttemptTimeoutMs ?? fairMs);
  }

  #tellPlace(verdict: Verdict, durationMs: number, reason: unknown, now: number): void {
    const { load } = this.#place;
    const circuit = this.#place.circuit(this.#route);
    const before = circuit.state;
    const { code } = this.facts;
    const pushback = verdict === "failure" ? pushbackOf(ConnectError.from(reason), now) : undefined;
    const pushbackMs = pushback === "never" ? undefined : pushback;
    const ofItsOwn = pushback === "never" ? "neither" : verdict; // what is not to be repeated failed behind it
    load.end(ofItsOwn, this.#hasBegun ? undefined : durationMs, now, pushbackMs);
    if (pushbackMs !== undefined) circuit.pushback(pushbackMs, now);
    const isTelling = !this.#call.isStream && (verdict !== "failure" || code === Code.DeadlineExceeded);
    const isBusy = code === Code.ResourceExhausted; // it does what it can, and less would be done if it were left alone
    circuit.record(isBusy ? "neither" : ofItsOwn, this.#permit, now, isTelling && this.#route.isSlow(durationMs, now));
    if (circuit.state === "open" && before !== "open") this.facts.opened = circuit.why;
    if (isTelling) this.#route.latency.record(durationMs, now);
  }

  #send(timeoutMs: number | undefined): Promise<UnaryResponse | StreamResponse> {
    const { method, message, isRaw } = this.#call;
    const attempt = {
      method,
      message,
      isRaw,
      fields: this.#fields(),
      timeoutMs,
      lifetime: this.#lifetime,
      sentBytes: 0,
    };
    if (!this.#call.isStream) {
      const sent = this.#pass(attempt);
      this.sentBytes = attempt.sentBytes;
      return sent;
    }
    const onStreamEnd = (reason?: unknown) => {
      this.ended(reason);
      this.#call.end(reason);
    };
    return this.#pass({ ...attempt, onStreamEnd });
  }

  /** To the session, or to what is to go wrong on purpose. */
  #pass(attempt: Attempt): Promise<UnaryResponse | StreamResponse> {
    const { sessions, faults } = this.#parts;
    return (
      faults?.injector?.send(attempt, this.facts, sessions) ?? sessions.send(targetOf(this.facts.endpoint), attempt)
    );
  }

  #fields(): Fields {
    const fields = hopFields(this.#call.fields, this.facts.number, this.#call.retryDepth);
    return this.#route.wantsReports ? [...fields, headers.loadReport, "1"] : fields;
  }

  get #lifetime(): Lifetime {
    return this.#own ?? this.#call;
  }

  #ownLifetime(timeoutMs: number | undefined, now: number): TimedLifetime {
    const made = new TimedLifetime(() => this.#late());
    if (timeoutMs !== undefined) made.endBy(now + timeoutMs, this.#parts.deadlines);
    this.#call.onCancel(made);
    return made;
  }

  #late(): ConnectError {
    const { number, timeoutMs } = this.facts;
    return deadlineExceeded(`attempt ${number} of ${methodName(this.#route.method)} took more than ${timeoutMs} ms`);
  }
}

/**
 * Less than this nobody is blamed for having needed more, unless the contract itself gives no more: anybody may ask with
 * a millisecond to go, again and again, and would close the method to everybody else.
 */
const fairMs = 50;

/** What each was thought to cost, in milliseconds. */
function costsOf(places: readonly Place[], now: number): readonly number[] {
  const costs = new Array<number>(places.length);
  for (let at = 0; at < places.length; at++) costs[at] = (places[at] as Place).cost(now);
  return costs;
}
