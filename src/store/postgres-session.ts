import type { CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from "kysely";
import type { Clock } from "../base/clock.ts";
import { StoreFailure } from "./failure.ts";
import { asValue, type Statement, type StatementResult } from "./postgres-batch.ts";
import { nothing, type PostgresLink, plain } from "./postgres-link.ts";
import { callDeadline, leftUntil } from "./time-left.ts";

/** A statement that waits to be sent, and whoever waits for it. */
interface Waiting extends Statement {
  readonly deadlineAt: number | undefined;
  resolve(result: StatementResult): void;
  reject(reason: unknown): void;
}

/** So many statements nobody waits for are kept back at most. */
const mostKeptBack = 100;

const changing = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);
const commit = plain("commit");

/**
 * A connection to PostgreSQL while somebody has it. What is asked of it side by side travels together, with what begins the
 * transaction, sets its time limit or ends it, since a round trip each would take longer than most statements. A
 * transaction in which nothing was asked is none.
 */
export class PostgresSession implements DatabaseConnection {
  readonly #link: PostgresLink;
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  /** Settles when the connection has nothing under way. */
  #turn: Promise<unknown> = Promise.resolve();
  #isSendingSoon = false;
  /** Why a statement failed that nobody waited for. */
  #lost: { readonly reason: unknown } | undefined;

  constructor(link: PostgresLink, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
  }

  begin(settings: TransactionSettings): void {
    this.#link.begin(settings);
  }

  /** Kysely's way in. Text without values may be several statements, so it travels alone. */
  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const asked = parameters.length > 0 ? this.ask(sql, parameters) : this.#alone(sql);
    const { command, rowCount, rows } = await asked;
    const isChange = command !== null && changing.has(command);
    return { ...(isChange && { numAffectedRows: BigInt(rowCount ?? 0) }), rows: (rows ?? []) as R[] };
  }

  /** Asks one statement, together with those that are asked in the same breath. */
  ask(text: string, parameters: readonly unknown[]): Promise<StatementResult> {
    const values = parameters.map(asValue);
    const { promise, resolve, reject } = Promise.withResolvers<StatementResult>();
    this.#waiting.push({ text, values, deadlineAt: callDeadline(), resolve, reject });
    this.#sendSoon();
    return promise;
  }

  /** A statement whose answer nobody needs: it travels with the next one, or with COMMIT; if it fails, so do they. */
  askLater(text: string, parameters: readonly unknown[]): void {
    if (!this.#link.isInTransaction) throw new TypeError("only a transaction has a later");
    const lose = (reason: unknown) => {
      this.#lost ??= { reason };
    };
    const values = parameters.map(asValue);
    this.#waiting.push({ text, values, deadlineAt: callDeadline(), resolve() {}, reject: lose });
    if (this.#waiting.length >= mostKeptBack) this.#sendSoon();
  }

  /** Ends the transaction, and says so only if the server has written all of it. */
  commit(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#waiting.length === 0 && this.#link.isUnused) this.#link.ended();
      if (!this.#link.isInTransaction && !this.#link.isBroken) return;
      let answer: StatementResult;
      try {
        answer = await this.#sendWaiting(commit);
      } catch (reason) {
        throw this.#link.isBroken ? commitUnknown(reason) : reason;
      }
      this.#link.ended();
      if (answer.command !== "COMMIT") throw rolledBack();
    });
  }

  /** Leaves nothing of the transaction. A connection that cannot even do that is closed, which does it too. */
  rollback(): Promise<void> {
    return this.#inTurn(async () => {
      for (const { reject } of this.#waiting.splice(0)) reject(rolledBack());
      this.#lost = undefined;
      await this.#link.rollback();
    });
  }

  release(): void {
    this.#link.release();
  }

  streamQuery(): never {
    throw new Error("rows are read page by page, not streamed");
  }

  /** One after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Sends once all promises that are settled by now have run on: who asks side by side has asked by then. */
  #sendSoon(): void {
    if (this.#isSendingSoon) return;
    this.#isSendingSoon = true;
    process.nextTick(() => {
      void this.#inTurn(async () => {
        this.#isSendingSoon = false;
        if (this.#waiting.length > 0) await this.#sendWaiting();
      });
    });
  }

  /** Sends all that waits, and one more behind it; answers what the last one came to, and tells the others. */
  async #sendWaiting(last?: Statement): Promise<StatementResult> {
    const waiting = this.#waiting.splice(0);
    try {
      this.#throwLost();
      const deadlines = [...waiting.map(({ deadlineAt }) => deadlineAt), ...(last ? [callDeadline()] : [])];
      const leftMs = Math.min(...deadlines.map((deadlineAt) => leftUntil(deadlineAt, this.#clock)));
      const results = await this.#link.together(last ? [...waiting, last] : waiting, leftMs);
      waiting.forEach(({ resolve }, i) => resolve(results[i] ?? nothing));
      return results.at(-1) ?? nothing;
    } catch (reason) {
      for (const { reject } of waiting) reject(reason);
      if (last) throw reason;
      return nothing;
    }
  }

  /** Text without values, which may be several statements: what came of the last one. */
  #alone(sql: string): Promise<StatementResult> {
    const deadlineAt = callDeadline();
    return this.#inTurn(async () => {
      if (this.#waiting.length > 0) await this.#sendWaiting();
      this.#throwLost();
      return this.#link.alone(sql, leftUntil(deadlineAt, this.#clock));
    });
  }

  #throwLost(): void {
    if (this.#lost !== undefined) throw this.#lost.reason;
  }
}

function commitUnknown(cause: unknown): StoreFailure {
  return new StoreFailure("STORE_COMMIT_UNKNOWN", "the connection was lost before COMMIT was answered", { cause });
}

function rolledBack(): StoreFailure {
  return new StoreFailure("STORE_ROLLED_BACK", "a statement had failed, so the database wrote nothing of the unit");
}
