import { defineEntity, type InferEntity, p } from "@mikro-orm/core";

/** How far a saga is, as its row says it. */
export type SagaState = "running" | "compensating" | "completed" | "compensated" | "stuck";

/** One move of a saga: when, to which state and step, and why. */
export interface SagaTransition {
  /** Wall time in milliseconds. */
  readonly at: number;
  readonly state: SagaState;
  readonly step: string;
  readonly reason: string;
}

/**
 * The sagas of one service, each a row: where it stands, and when its timer goes off. The row lies beside what the saga
 * is about and is written in the same transactions, so that it survives whatever these survive.
 */
export function sagaRows(service: string) {
  return defineEntity({
    name: `${service}Saga`,
    tableName: `${service}_sagas`,
    properties: {
      /** What it is about: the order's id. */
      id: p.string().length(100).primary(),
      name: p.string().length(100),
      state: p.string().length(16).$type<SagaState>(),
      step: p.string().length(100),
      reason: p.text(),
      /** When its timer goes off; null when none runs. */
      wakeAt: p.datetime(3).nullable(),
      /** How often the step that it is at has been taken. */
      attempts: p.integer(),
      /** What it has been through, oldest first: the first move, and the last ones. */
      history: p.json<readonly SagaTransition[]>(),
      startedAt: p.datetime(3),
      updatedAt: p.datetime(3),
      version: p.integer().version(),
    },
    indexes: [{ properties: ["wakeAt"] }, { properties: ["state", "startedAt", "id"] }],
  });
}

/** A table made by `sagaRows`. */
export type SagaRows = ReturnType<typeof sagaRows>;

/** A row of such a table. */
export type SagaRow = Pick<
  InferEntity<SagaRows>,
  | "id"
  | "name"
  | "state"
  | "step"
  | "reason"
  | "wakeAt"
  | "attempts"
  | "history"
  | "startedAt"
  | "updatedAt"
  | "version"
>;
