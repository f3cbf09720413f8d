import type { CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import { late, StoreFailure } from "./failure.ts";
import { asValue, PostgresBatch, type Statement, type StatementResult } from "./postgres-batch.ts";
import { isPreparingsFault, type PreparedStatements } from "./prepared-statements.ts";
import { callDeadline, statementMs, timeLeftMs, uncalledMs } from "./time-left.ts";
import { shareWritersLock } from "./writers-lock.ts";

/** The parts of `pg`'s client that are used; it gives one result for each statement of a text. */
export interface PostgresClient {
  query(text: string): Promise<StatementResult | StatementResult[]>;
  query(batch: PostgresBatch): unknown;
  getTypeParser(type: number, format: string): (text: string) => unknown;
  /** Back to the pool; `true` closes the connection instead. */
  release(close?: boolean): void;
  end(): unknown;
}

type State =
  | { readonly name: "idle" }
  /** What begins the transaction goes out with its first statement. */
  | { readonly name: "beginning"; readonly sql: readonly string[] }
  /** In a transaction, whose statements may take so long. */
  | { readonly name: "open"; limitMs: number }
  | { readonly name: "broken" };

/** What tells time, and when it is over; and what the connection has prepared. */
interface SessionOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly prepared: PreparedStatements;
}

/** A statement that waits to be sent, and whoever waits for it. */
interface Waiting extends Statement {
  readonly deadlineAt: number | undefined;
  resolve(result: StatementResult): void;
  reject(reason: unknown): void;
}

/** So many statements nobody waits for are kept back at most. */
const mostKeptBack = 100;
const changing = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);
/** The limit is set anew when the time left has become shorter than this share of it. */
const renewRatio = 0.8;
/** A connection's own limit is set so much shorter that it fits the next calls too, which have a little less time left. */
const keptRatio = 0.9;
const rollbackMs = 5_000;
/** How long after the deadline a server that is silent is given up: its own refusal may be on the way. */
const graceMs = 250;
/** SQLSTATEs after which there is no connection any more. */
const closingState = /^(08...|57P0[1-5])$/;

const plain = (text: string): Statement => ({ text, values: [] });
const commit = plain("commit");
const nothing: StatementResult = { command: null, rowCount: 0, rows: [] };

/** The limit that each connection has by itself: an earlier statement's, which often fits the next one. */
const ownLimitMs = new WeakMap<PostgresClient, number>();

/**
 * A connection to PostgreSQL while somebody has it. What is asked of it side by side travels together, with what begins the
 * transaction, sets its time limit or ends it, since a round trip each would take longer than most statements. A
 * transaction in which nothing was asked is none.
 */
export class PostgresSession implements DatabaseConnection {
  readonly #client: PostgresClient;
  readonly #options: SessionOptions;
  readonly #waiting: Waiting[] = [];
  #state: State = { name: "idle" };
  /** Settles when the connection has nothing under way. */
  #turn: Promise<unknown> = Promise.resolve();
  #isSendingSoon = false;
  /** Why a statement failed that nobody waited for. */
  #lost: { readonly reason: unknown } | undefined;

  constructor(client: PostgresClient, options: SessionOptions) {
    this.#client = client;
    this.#options = options;
  }

  begin({ isolationLevel, accessMode }: TransactionSettings): void {
    const isolation = isolationLevel === undefined ? "" : ` isolation level ${isolationLevel}`;
    const begin = `begin${isolation}${accessMode === undefined ? "" : ` ${accessMode}`}`;
    const sql = accessMode === "read only" ? [begin] : [begin, shareWritersLock];
    this.#state = { name: "beginning", sql };
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
    if (this.#state.name === "idle") throw new TypeError("only a transaction has a later");
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
      if (this.#waiting.length === 0 && this.#state.name === "beginning") this.#state = { name: "idle" };
      if (this.#state.name === "idle") return;
      let answer: StatementResult;
      try {
        answer = await this.#sendWaiting(commit);
      } catch (reason) {
        throw this.#state.name === "broken" ? commitUnknown(reason) : reason;
      }
      this.#state = { name: "idle" };
      if (answer.command !== "COMMIT") throw rolledBack();
    });
  }

  /** Leaves nothing of the transaction. A connection that cannot even do that is closed, which does it too. */
  rollback(): Promise<void> {
    return this.#inTurn(async () => {
      for (const { reject } of this.#waiting.splice(0)) reject(rolledBack());
      this.#lost = undefined;
      if (this.#state.name === "open") await this.#send("rollback", rollbackMs).catch(() => this.#break());
      if (this.#state.name !== "broken") this.#state = { name: "idle" };
    });
  }

  release(): void {
    this.#client.release(this.#state.name !== "idle" || this.#waiting.length > 0);
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

  /** Whatever is asked until the other end of this breath goes too. */
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
      const { clock } = this.#options;
      const deadlines = waiting.map(({ deadlineAt }) => timeLeftMs(clock, deadlineAt));
      const leftMs = Math.min(...deadlines, ...(last ? [timeLeftMs(clock)] : []));
      const results = await this.#withLimit(leftMs, (preface) =>
        this.#sendBatch([...preface.map(plain), ...waiting, ...(last ? [last] : [])], leftMs),
      );
      const own = results.slice(results.length - waiting.length - (last ? 1 : 0));
      waiting.forEach(({ resolve }, i) => resolve(own[i] ?? nothing));
      return own.at(-1) ?? nothing;
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
      const leftMs = timeLeftMs(this.#options.clock, deadlineAt);
      return this.#withLimit(leftMs, (preface) => this.#send([...preface, sql].join(";"), leftMs));
    });
  }

  /** What `send` sends gets a time limit at the server, by statements that go before it. */
  async #withLimit<T>(leftMs: number, send: (preface: readonly string[]) => Promise<T>): Promise<T> {
    if (leftMs <= 0) throw late();
    const { clock } = this.#options;
    const sentAt = clock.now();
    const limitMs = statementMs(leftMs);
    const isAlone = this.#state.name === "idle" && Number.isFinite(limitMs);
    const renews = isAlone && !this.#fits(limitMs);
    const ownMs = Math.ceil(limitMs * keptRatio);
    const preface = renews ? [`set statement_timeout=${ownMs}`] : this.#preface(limitMs);
    if (renews) ownLimitMs.set(this.#client, Number.NaN); // until the server has taken it
    try {
      const answer = await send(preface);
      if (renews) ownLimitMs.set(this.#client, ownMs);
      return answer;
    } catch (reason) {
      throw stateOf(reason) === "57014" && clock.now() - sentAt >= limitMs * renewRatio ? late(reason) : reason;
    }
  }

  /** What goes before the next statement: the beginning of its transaction, and its limit where that is a new one. */
  #preface(limitMs: number): readonly string[] {
    const state = this.#state;
    const limit =
      limitMs === uncalledMs ? [] : [`set local statement_timeout=${Number.isFinite(limitMs) ? limitMs : 0}`];
    switch (state.name) {
      case "broken":
        throw new Error("Connection terminated");
      case "idle":
        return Number.isFinite(limitMs) ? [] : limit;
      case "beginning":
        this.#state = { name: "open", limitMs };
        return this.#fits(limitMs) ? state.sql : [...state.sql, ...limit];
      case "open":
        if (limitMs >= state.limitMs * renewRatio) return [];
        state.limitMs = limitMs;
        return limit;
    }
  }

  /** Whether the connection's own limit is no longer than `limitMs`, and not much shorter. */
  #fits(limitMs: number): boolean {
    const own = ownLimitMs.get(this.#client) ?? uncalledMs;
    return own <= limitMs && own >= limitMs * renewRatio;
  }

  /** Outside of a transaction what fails for how it was prepared is asked once more: nothing has come of it. */
  async #sendBatch(statements: readonly Statement[], leftMs: number): Promise<readonly StatementResult[]> {
    const { prepared } = this.#options;
    const isAlone = this.#state.name === "idle";
    const send = () => {
      const batch = new PostgresBatch(statements, { types: this.#client, prepared });
      this.#client.query(batch);
      return this.#inTime(batch.answered, leftMs);
    };
    return send().catch((reason) => {
      if (isAlone && isPreparingsFault(reason)) return send();
      throw reason;
    });
  }

  async #send(text: string, leftMs: number): Promise<StatementResult> {
    const results = await this.#inTime(this.#client.query(text), leftMs);
    return (Array.isArray(results) ? results.at(-1) : results) ?? nothing;
  }

  /** A server that is silent for too long loses its connection; whoever waits is told. */
  async #inTime<T>(answered: Promise<T>, leftMs: number): Promise<T> {
    const { clock, deadlines } = this.#options;
    const silence = { isOver: false, expire: () => this.#giveUp(silence) };
    const at = clock.now() + leftMs + graceMs;
    if (Number.isFinite(at)) deadlines.add(at, silence);
    try {
      return await answered;
    } catch (reason) {
      const state = stateOf(reason);
      if (state === "" || closingState.test(state)) this.#break();
      throw silence.isOver ? late(reason) : reason;
    } finally {
      if (Number.isFinite(at)) deadlines.remove(at, silence);
    }
  }

  #giveUp(silence: { isOver: boolean }): void {
    silence.isOver = true;
    this.#break();
    void this.#client.end();
  }

  #break(): void {
    this.#state = { name: "broken" };
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

/** The server's SQLSTATE; empty for what is no answer of a server. */
function stateOf(reason: unknown): string {
  const code = reason instanceof Error && "code" in reason ? String(reason.code) : "";
  return /^[0-9A-Z]{5}$/.test(code) && "severity" in (reason as object) ? code : "";
}
