import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { openStore } from "../../store/orm.ts";
import { gatewayRows } from "./answer-entity.ts";
import { type AnswerRows, answerRows } from "./answer-rows.ts";

/** Where the rows are, and who is told of their opening. */
export interface OpenAnswerRowsOptions {
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Opens the gateway's rows, migrated. A file of its own, for it brings MikroORM with it. */
export async function openAnswerRows({ databaseUrl, dataDir, clock, log }: OpenAnswerRowsOptions) {
  const store = await openStore({ ...gatewayRows, databaseUrl, dataDir, clock, log });
  const rows: AnswerRows = answerRows(store);
  return { rows, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}
