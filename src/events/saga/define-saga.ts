import type { SqlEntityManager } from "@mikro-orm/sql";
import type { SagaRows } from "./saga-entity.ts";

/** The moment in which a saga is asked to do something. */
export interface SagaMoment {
  /** The transaction that also writes the saga's move. Nothing else is awaited in it. */
  readonly em: SqlEntityManager;
  /** What the saga is about: the order's id. */
  readonly id: string;
  /** Wall time in milliseconds. */
  readonly now: number;
}

/** One step of a saga: something was asked of others, and their answer is waited for. */
export interface SagaStep {
  /** Whether it takes back what earlier steps did. Default false. */
  readonly takesBack?: boolean;
  /** How long to wait for the answer. If unset, for ever. */
  readonly timeoutMs?: number;
  /** How often the step is taken before its time is really up. Default 1; more needs `take`. */
  readonly attempts?: number;
  /** Takes the step once more: publishes again what it asks of others, who answer the same as before. */
  take?(moment: SagaMoment): Promise<void>;
  /** What becomes of the saga when time is up. Unset, or where it does not move the saga, the saga is stuck. */
  onTimeout?(moment: SagaMoment): Promise<void>;
}

/** What one kind of saga is made of. */
export interface SagaPlan<Step extends string = string> {
  /** Once in a service: "place-order". It is stored, so it stays as it is. */
  readonly name: string;
  /** The table, made by `sagaRows`. */
  readonly rows: SagaRows;
  /** The first one is where the saga begins. Their names are stored: those that sagas stand at have to stay. */
  readonly steps: Readonly<Record<Step, SagaStep>>;
  /** Takes the saga back because somebody asks for it. If unset, nobody may. */
  cancel?(moment: SagaMoment & { readonly reason: string }): Promise<void>;
  /**
   * Locks what the saga is about, where handlers lock that before they move the saga: timers do it in the same order, so
   * that neither waits for the other crosswise.
   */
  lock?(em: SqlEntityManager, id: string): Promise<void>;
}
