import {
  create,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { SqlEntityManager } from "@mikro-orm/sql";
import { type Clock, systemClock } from "../base/clock.ts";
import { runDetached } from "../call/context.ts";
import type { Store } from "./orm.ts";
import {
  answeredBefore,
  forgetRequestIds,
  keepAnswer,
  type NamedRequest,
  namedRequest,
  oldRequestIds,
  type RequestIds,
} from "./request-ids.ts";
import type { Work } from "./unit.ts";

/** What keeping answers needs. */
export interface RequestAnswersOptions {
  readonly store: Store;
  readonly rows: RequestIds;
  readonly clock?: Clock;
  /** How long an answer is kept at least, in milliseconds. Default a week. */
  readonly keepMs?: number;
}

/** How a method that creates finds what replicas have created that kept a key in place of the answer. */
export interface Resource<M extends DescMethodUnary> {
  keyOf(answer: MessageShape<M["output"]>): string;
  find(em: SqlEntityManager, key: string): Promise<MessageInitShape<M["output"]>>;
}

/** One mutating call: its method, its request, what it changes and answers, and what it creates, if it does. */
export interface Mutation<M extends DescMethodUnary> {
  readonly method: M;
  readonly request: MessageShape<M["input"]>;
  readonly work: Work<MessageInitShape<M["output"]>>;
  readonly resource?: Resource<M>;
}

/** Old rows are looked for no more often than this, in milliseconds, unless there were more than are removed at once. */
const sweepEveryMs = 60_000;
const sweepRows = 1_000;
const weekMs = 7 * 24 * 3_600_000;

/**
 * Answers mutating calls once: what a call answers is kept in the transaction of its change, and the same request again,
 * by whatever retry, hedge or caller, gets the first answer and changes nothing.
 */
export class RequestAnswers {
  readonly #store: Store;
  readonly #rows: RequestIds;
  readonly #clock: Clock;
  readonly #keepMs: number;
  #nextSweepAt = Number.NEGATIVE_INFINITY;
  #isSweeping = false;

  constructor({ store, rows, clock = systemClock, keepMs = weekMs }: RequestAnswersOptions) {
    this.#store = store;
    this.#rows = rows;
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  /**
   * Runs the call's work in one transaction and answers what it answers, or what the same request was answered before. A
   * request without an id is always new; one that fails is not kept, and may be tried again.
   *
   * The answer is kept last: that costs one statement. Of equal requests at once one is committed; the others then find
   * its id, or what it has done, in their way, are undone, and get its answer. The work may therefore run in vain.
   */
  async once<M extends DescMethodUnary>(call: Mutation<M>): Promise<MessageShape<M["output"]>> {
    const { method, request, work, resource } = call;
    const named = namedRequest(method, request);
    if (named === undefined) return create(method.output, await this.#store.unit(work)) as MessageShape<M["output"]>;
    try {
      const answer = await this.#store.unit(async (em) => {
        const given = create(method.output, await work(em)) as MessageShape<M["output"]>;
        const kept = { answer: Buffer.from(toBinary(method.output, given)), resource: resource?.keyOf(given) ?? "" };
        await keepAnswer(em, this.#rows, { ...kept, request: named, now: this.#clock.wall() });
        return given;
      });
      this.#sweepSoon();
      return answer;
    } catch (reason) {
      const first = await this.#find(call, named);
      if (first === undefined) throw reason;
      return first;
    }
  }

  /** What the same request was answered before, if it was: for calls that do much before they come to their work. */
  async before<M extends DescMethodUnary>(
    call: Omit<Mutation<M>, "work">,
  ): Promise<MessageShape<M["output"]> | undefined> {
    const named = namedRequest(call.method, call.request);
    return named === undefined ? undefined : this.#find(call, named);
  }

  #find<M extends DescMethodUnary>({ method, resource }: Omit<Mutation<M>, "work">, named: NamedRequest) {
    return this.#store.read(async (em) => {
      const row = await answeredBefore(em, this.#rows, named);
      if (row === undefined) return undefined;
      const { answer } = row;
      if (answer !== null && answer !== undefined)
        return fromBinary(method.output, answer) as MessageShape<M["output"]>;
      return resource && (create(method.output, await resource.find(em, row.resource)) as MessageShape<M["output"]>);
    });
  }

  #sweepSoon(): void {
    if (this.#isSweeping || this.#clock.now() < this.#nextSweepAt) return;
    this.#isSweeping = true;
    void runDetached(() => this.#sweep()).finally(() => {
      this.#isSweeping = false;
    });
  }

  /** Removes some of what is old. If that fails, it is tried another time. */
  async #sweep(): Promise<void> {
    const before = new Date(this.#clock.wall() - this.#keepMs);
    this.#nextSweepAt = this.#clock.now() + sweepEveryMs;
    try {
      const old = await this.#store.read((em) => oldRequestIds(em, this.#rows, before, sweepRows));
      if (old.length > 0) await this.#store.unit((em) => forgetRequestIds(em, this.#rows, old));
      if (old.length === sweepRows) this.#nextSweepAt = this.#clock.now();
    } catch {
      // the store is closing, or busy
    }
  }
}
