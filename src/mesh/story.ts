import type { DescMethod } from "@bufbuild/protobuf";
import type { Code, ConnectError } from "@connectrpc/connect";
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
  /** What candidates were thought to cost when it was picked: all of them where they were few, else that one alone. */
  readonly weighed: readonly Weighed[];
  readonly startedAt: number;
  /** How long it might take, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** `undefined` while it is under way. */
  endedAt: number | undefined;
  /** `undefined` for success, and while it is under way. */
  code: Code | undefined;
  /** What the error said. */
  message: string | undefined;
  /** What was done to it on purpose; absent where nothing was. */
  fault?: FaultKind;
}

/** A candidate of a pick and what it was thought to cost, in milliseconds. */
export interface Weighed {
  readonly address: string;
  readonly cost: number;
}

/** What was decided on the way: at an instant, in words that are the same for every call. */
export interface Decision {
  readonly at: number;
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
  readonly attempts: AttemptFacts[] = [];
  #decisions: Decision[] | undefined;
  /** `undefined` while it is under way; a stream has ended when it has begun to be answered. */
  endedAt: number | undefined;
  /** `undefined` for success. */
  code: Code | undefined;
  /** What the error said. */
  message: string | undefined;

  constructor(method: DescMethod, { traceparent, startedAt, deadlineAt }: StoryInit) {
    this.method = method;
    this.traceparent = traceparent;
    this.startedAt = startedAt;
    this.deadlineAt = deadlineAt;
  }

  /** What was decided beside where to send: by budget, breaker, bulkhead, deadline and contract. In order. */
  get decisions(): readonly Decision[] {
    return this.#decisions ?? none;
  }

  /** It has ended, well or with an error. */
  end(at: number, error?: ConnectError): void {
    this.endedAt = at;
    this.code = error?.code;
    this.message = error?.rawMessage;
  }

  /** Whether it did anything but go straight to its answer. */
  get isEventful(): boolean {
    return this.attempts.length !== 1 || this.code !== undefined || this.#decisions !== undefined;
  }

  /** Notes a decision. */
  note(at: number, what: string): void {
    this.#decisions ??= [];
    this.#decisions.push({ at, what });
  }
}

/** What is known when a call begins. */
export interface StoryInit {
  readonly traceparent: string | undefined;
  readonly startedAt: number;
  readonly deadlineAt: number | undefined;
}

const none: readonly Decision[] = [];
