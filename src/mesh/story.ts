import type { DescMethod } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { FaultKind } from "./faults/happening.ts";
import type { Endpoint } from "./resolve/resolver.ts";

/** Why an attempt was made: it is the call's first, another had failed, or another was slow. */
export type AttemptKind = "first" | "retry" | "hedge";

/** What is known of one attempt. Instants in milliseconds of the mesh's clock. */
export interface AttemptFacts {
  /** Counted from 1. */
  readonly number: number;
  readonly kind: AttemptKind;
  readonly endpoint: Endpoint;
  /** Whom it was picked from. */
  readonly choice: Choice;
  /** What those were thought to cost then, in milliseconds and their order; where only their number is known, the picked one alone. */
  readonly costs: readonly number[];
  readonly startedAt: number;
  /** How long it might take, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** `undefined` while it is under way. */
  endedAt: number | undefined;
  /** `undefined` for success, and while it is under way. */
  code: Code | undefined;
  /** What the error said. */
  message: string | undefined;
  /** Why the endpoint's circuit opened, if it was this attempt's end that opened it. */
  opened: string | undefined;
  /** What was done to it on purpose; absent where nothing was. */
  fault?: FaultKind;
}

/** Whom picks are made from: one object for all that are made until that changes, so that to remember it costs nothing. */
export interface Choice {
  /** How many there are. */
  readonly among: number;
  /** Who they are, where they are few. */
  readonly endpoints: readonly Endpoint[];
  /** Some of those that are left alone, and why. */
  readonly leftOut: readonly LeftOut[];
  /**
   * "healthy": those that can be reached and that their circuits let; "trial": the one whose circuit is to be tried;
   * "panic": all that can be reached, for so few are healthy that this is not believed.
   */
  readonly rule: "healthy" | "trial" | "panic";
}

/** An endpoint that is left alone. */
export interface LeftOut {
  readonly address: string;
  /** For people. */
  readonly why: string;
}

/** What was decided on the way: at an instant, after the attempt of that number, in words that are the same for every call. */
export interface Decision {
  readonly at: number;
  readonly after: number;
  readonly what: string;
}

/**
 * What happened to one call: facts, noted as they happen, put into words only when somebody asks. It holds nothing of
 * what was sent or answered.
 */
export class Story {
  readonly method: DescMethod;
  /** Its place in a trace (W3C). */
  readonly traceparent: string | undefined;
  readonly startedAt: number;
  readonly deadlineAt: number | undefined;
  #attempts: AttemptFacts[] | undefined;
  #decisions: Decision[] | undefined;
  /** `undefined` while it is under way; a stream has ended when it has begun to be answered. */
  endedAt: number | undefined;
  /** `undefined` for success. */
  code: Code | undefined;
  /** What the error said. */
  message: string | undefined;
  /** Whether its caller had the fallback's answer instead of the error. */
  isFallback = false;

  constructor(method: DescMethod, { traceparent, startedAt, deadlineAt }: StoryInit) {
    this.method = method;
    this.traceparent = traceparent;
    this.startedAt = startedAt;
    this.deadlineAt = deadlineAt;
  }

  /** In the order in which they were made. */
  get attempts(): readonly AttemptFacts[] {
    return this.#attempts ?? none;
  }

  /** What was decided beside where to send: by budget, breaker, bulkhead, deadline and contract. In order. */
  get decisions(): readonly Decision[] {
    return this.#decisions ?? none;
  }

  /** Whether it did anything but go straight to its answer. A stream that its caller left has done nothing else. */
  get isEventful(): boolean {
    if (this.code !== undefined || this.#decisions !== undefined || this.attempts.length !== 1) return true;
    const { code, fault } = this.attempts[0] as AttemptFacts;
    return fault !== undefined || (code !== undefined && code !== Code.Canceled);
  }

  /** One more attempt is made. Nearly every call has one: a list of one, with room for no more. */
  attempt(facts: AttemptFacts): void {
    if (this.#attempts === undefined) this.#attempts = [facts];
    else this.#attempts.push(facts);
  }

  /** Notes a decision. */
  note(at: number, what: string): void {
    this.#decisions ??= [];
    this.#decisions.push({ at, after: this.#attempts?.at(-1)?.number ?? 0, what });
  }

  /** It has ended, well or with an error. */
  end(at: number, error?: ConnectError): void {
    this.endedAt = at;
    if (error === undefined) return;
    this.code = error.code;
    this.message = brief(error.rawMessage);
  }
}

/** What is known when a call begins. */
export interface StoryInit {
  readonly traceparent: string | undefined;
  readonly startedAt: number;
  readonly deadlineAt: number | undefined;
}

const none: readonly never[] = [];

/** Characters of an error's message that are remembered: peers may send very long ones, and many are kept. */
const briefLength = 1_000;

/** What is remembered of an error's message. By way of bytes, or the part would keep the whole alive. */
export function brief(message: string): string {
  if (message.length <= briefLength) return message;
  return `${Buffer.from(message.slice(0, briefLength), "utf16le").toString("utf16le")}…`;
}
