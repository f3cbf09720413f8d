import type { TransactionSettings } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import { late } from "./failure.ts";
import { PostgresBatch, type Statement, type StatementResult, type Types } from "./postgres-batch.ts";
import { isPreparingsFault, type PreparedStatements } from "./prepared-statements.ts";
import { statementMs, uncalledMs } from "./time-left.ts";
import { shareWritersLock } from "./writers-lock.ts";

/** The parts of `pg`'s client that are used; it gives one result for each statement of a text. */
export interface PostgresClient extends Types {
  query(text: string): Promise<StatementResult | StatementResult[]>;
  query(batch: PostgresBatch): unknown;
  /** Back to the pool; `true` closes the connection instead. */
  release(close?: boolean): void;
  end(): unknown;
}

/** What tells time, and when it is over; and what the connection has prepared. */
export interface PostgresLinkOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly prepared: PreparedStatements;
}

type State =
  | { readonly name: "idle" }
  /** What begins the transaction goes out with its first statement. */
  | { readonly name: "beginning"; readonly sql: readonly string[] }
  /** In a transaction, whose statements may take so long. */
  | { readonly name: "open"; limitMs: number }
  | { readonly name: "broken" };

/** The limit is set anew when the time left has become shorter than this share of it. */
const renewRatio = 0.8;
/** A connection's own limit is set so much shorter that it fits the next calls too, which have a little less time left. */
const keptRatio = 0.9;
const rollbackMs = 5_000;
/** How long after the deadline a server that is silent is given up: its own refusal may be on the way. */
const graceMs = 250;
/** SQLSTATEs after which there is no connection any more. */
const closingState = /^(08...|57P0[1-5])$/;
/** A statement without values. */
export const plain = (text: string): Statement => ({ text, values: [] });
/** What nothing comes to. */
export const nothing: StatementResult = { command: null, rowCount: 0, rows: [] };

/** The limit that each connection has by itself: an earlier statement's, which often fits the next one. */
const ownLimitMs = new WeakMap<PostgresClient, number>();

/**
 * A connection to PostgreSQL that does one thing at a time: it knows the transaction it is in, and sees that everything ends in the
 * time it is given, at the server too.
 */
export class PostgresLink {
  readonly #client: PostgresClient;
  readonly #options: PostgresLinkOptions;
  #state: State = { name: "idle" };

  constructor(client: PostgresClient, options: PostgresLinkOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Whether a transaction has begun or is about to. */
  get isInTransaction(): boolean {
    return this.#state.name === "beginning" || this.#state.name === "open";
  }

  /** Whether a transaction is about to begin in which nothing was asked. */
  get isUnused(): boolean {
    return this.#state.name === "beginning";
  }

  get isBroken(): boolean {
    return this.#state.name === "broken";
  }

  /** Begins a transaction, with whatever is asked next. */
  begin({ isolationLevel, accessMode }: TransactionSettings): void {
    const isolation = isolationLevel === undefined ? "" : ` isolation level ${isolationLevel}`;
    const begin = `begin${isolation}${accessMode === undefined ? "" : ` ${accessMode}`}`;
    this.#state = { name: "beginning", sql: accessMode === "read only" ? [begin] : [begin, shareWritersLock] };
  }

  /** Says that the transaction is over, as the server has said. */
  ended(): void {
    this.#state = { name: "idle" };
  }

  /** Leaves nothing of the transaction. A connection that cannot even do that is closed, which does it too. */
  async rollback(): Promise<void> {
    if (this.#state.name === "open")
      await this.#inTime(this.#client.query("rollback"), rollbackMs).catch(() => this.#break());
    if (!this.isBroken) this.ended();
  }

  /** Statements that travel together: what each came to. */
  together(statements: readonly Statement[], leftMs: number): Promise<readonly StatementResult[]> {
    return this.#withLimit(leftMs, async (preface) => {
      const results = await this.#sendBatch([...preface.map(plain), ...statements], leftMs);
      return results.slice(preface.length);
    });
  }

  /** Text without values, which may be several statements: what came of the last one. */
  alone(text: string, leftMs: number): Promise<StatementResult> {
    return this.#withLimit(leftMs, async (preface) => {
      const results = await this.#inTime(this.#client.query([...preface, text].join(";")), leftMs);
      return (Array.isArray(results) ? results.at(-1) : results) ?? nothing;
    });
  }

  /** Back to the pool, if there is nothing left of what was done. */
  release(): void {
    this.#client.release(this.#state.name !== "idle");
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
}

/** The server's SQLSTATE; empty for what is no answer of a server. */
function stateOf(reason: unknown): string {
  const code = reason instanceof Error && "code" in reason ? String(reason.code) : "";
  return /^[0-9A-Z]{5}$/.test(code) && "severity" in (reason as object) ? code : "";
}
