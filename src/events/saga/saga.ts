import type { SqlEntityManager } from "@mikro-orm/sql";
import type { SagaMoment, SagaPlan, SagaStep } from "./define-saga.ts";
import type { SagaRow } from "./saga-entity.ts";
import { hasEnded, nextStanding, remember, type Standing, standingAt, type Wish } from "./saga-moves.ts";
import { type SagaLock, sagaTable } from "./saga-table.ts";

/** A move, and why it is made. */
export interface Why {
  readonly reason?: string;
}

/**
 * One kind of saga: moves its rows, always in the caller's transaction, with what the move is about. Each move says
 * whether anything has changed: one that was made before, that comes too late, or out of a saga that has ended changes
 * nothing, so that an event may come twice and in any order. Row locks keep moves of one saga apart.
 */
export class Saga<Step extends string = string> {
  readonly plan: SagaPlan<Step>;

  constructor(plan: SagaPlan<Step>) {
    this.plan = plan;
  }

  /** Begins a saga at its first step, whose timer runs from now. */
  async begin({ em, id, now }: SagaMoment): Promise<void> {
    const [step = ""] = Object.keys(this.plan.steps);
    const at = new Date(now);
    const standing = standingAt(step, this.#takesBack);
    await sagaTable(em, this.plan.rows).insert({
      id,
      name: this.plan.name,
      ...standing,
      reason: "",
      wakeAt: this.#wakeAt(standing, now),
      attempts: 1,
      history: [{ at: now, ...standing, reason: "" }],
      startedAt: at,
      updatedAt: at,
    });
  }

  /** From one step to the next. */
  move(moment: SagaMoment, { from, to, reason = "" }: { readonly from: Step; readonly to: Step } & Why) {
    return this.#wish(moment, { kind: "move", from, to }, reason);
  }

  /** All is done. Not out of a step that takes back. */
  complete(moment: SagaMoment): Promise<boolean> {
    return this.#wish(moment, { kind: "complete" }, "");
  }

  /**
   * Begins to take back, at a step that does. One that is taking back already goes on as it is. A completed saga is
   * over, unless `evenCompleted`: then it comes back to life to undo itself.
   */
  compensate(
    moment: SagaMoment,
    {
      to,
      reason,
      evenCompleted = false,
    }: { readonly to: Step; readonly reason: string; readonly evenCompleted?: boolean },
  ): Promise<boolean> {
    return this.#wish(moment, { kind: "compensate", to, evenCompleted }, reason);
  }

  /** All is taken back, or there was nothing to take back. A reason is kept from before unless one is given. */
  compensated(moment: SagaMoment, { reason }: Why = {}): Promise<boolean> {
    return this.#wish(moment, { kind: "end-compensated" }, reason);
  }

  /** It waits in vain: somebody should look. It goes on when the answer comes after all. */
  stick(moment: SagaMoment, { reason }: { readonly reason: string }): Promise<boolean> {
    return this.#wish(moment, { kind: "stick" }, reason);
  }

  /** Takes the step it is at once more, and waits for its answer anew. False when the saga has ended. */
  async retry(moment: SagaMoment): Promise<boolean> {
    const row = await this.find(moment);
    if (row === undefined || hasEnded(row.state)) return false;
    const standing = standingAt(row.step, this.#takesBack);
    const { reason = "" } = row.history.findLast(({ state }) => state === standing.state) ?? {};
    await this.#write(moment.em, row, { standing, reason, now: moment.now });
    await this.stepOf(row.step)?.take?.(moment);
    return true;
  }

  /**
   * Its row, kept from others until the transaction ends; nothing when there is none, or somebody else has it and
   * `skip` says so.
   */
  find({ em, id }: Pick<SagaMoment, "em" | "id">, lock: SagaLock = "wait"): Promise<SagaRow | undefined> {
    return sagaTable(em, this.plan.rows).lock(id, this.plan.name, lock);
  }

  /** What is known of a step by its name; nothing of one that an earlier version knew. */
  stepOf(step: string): SagaStep | undefined {
    return Object.hasOwn(this.plan.steps, step) ? this.plan.steps[step as Step] : undefined;
  }

  /** What the saga does when the timer of `row` has gone off. */
  async timeOut(moment: SagaMoment, row: SagaRow): Promise<void> {
    const step = this.stepOf(row.step);
    const { attempts = 1, timeoutMs = 0 } = step ?? {};
    if (step?.take !== undefined && row.attempts < attempts) {
      await this.setTimer(moment, { ...row, attempts: row.attempts + 1 }, timeoutMs);
      return step.take(moment);
    }
    await step?.onTimeout?.(moment);
    const after = await this.find(moment);
    if (after === undefined || !isDue(after, moment.now)) return;
    const reason = step
      ? `${row.step} had no answer within ${timeoutMs / 1_000} s`
      : `${this.plan.name} has no step ${row.step} in this version`;
    await this.stick(moment, { reason });
  }

  /** Sets the timer of `row` to go off in so many milliseconds. */
  setTimer({ em, now }: SagaMoment, row: SagaRow, ms: number): Promise<void> {
    return sagaTable(em, this.plan.rows).update({ ...row, wakeAt: new Date(now + ms) });
  }

  async #wish(moment: SagaMoment, wish: Wish, reason: string | undefined): Promise<boolean> {
    const row = await this.find(moment);
    const standing = row && nextStanding(row, wish, this.#takesBack);
    if (!row || !standing) return false;
    await this.#write(moment.em, row, { standing, reason: reason ?? row.reason, now: moment.now });
    return true;
  }

  #write(em: SqlEntityManager, row: SagaRow, { standing, now, ...move }: Move): Promise<void> {
    const reason = move.reason.replaceAll("\0", ""); // which no database keeps
    return sagaTable(em, this.plan.rows).update({
      ...row,
      ...standing,
      reason,
      wakeAt: this.#wakeAt(standing, now),
      attempts: 1,
      history: remember(row.history, { at: now, ...standing, reason }),
      updatedAt: new Date(now),
    });
  }

  /** When the timer goes off of a saga that has just come here. */
  #wakeAt({ state, step }: Standing, now: number): Date | null {
    if (state !== "running" && state !== "compensating") return null;
    const { timeoutMs } = this.stepOf(step) ?? {};
    return timeoutMs === undefined ? null : new Date(now + timeoutMs);
  }

  readonly #takesBack = (step: string): boolean => this.stepOf(step)?.takesBack ?? false;
}

interface Move {
  readonly standing: Standing;
  readonly reason: string;
  readonly now: number;
}

/** Whether the timer of a saga has gone off. */
export function isDue({ wakeAt }: Pick<SagaRow, "wakeAt">, now: number): boolean {
  return wakeAt !== null && wakeAt !== undefined && wakeAt.getTime() <= now;
}
