import type { CompiledQuery, DatabaseConnection, QueryResult, TransactionSettings } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import { late, StoreFailure } from "./failure.ts";
import { statementMs, timeLeftMs, uncalledMs } from "./time-left.ts";

/** The parts of `pg`'s client that are used; it gives one result for each statement of a text. */
export interface PostgresClient {
  query(text: string, values?: readonly unknown[]): Promise<StatementResult | StatementResult[]>;
  /** Back to the pool; `true` closes the connection instead. */
  release(close?: boolean): void;
  end(): unknown;
}

/** How `pg` tells what came of one statement. */
interface StatementResult {
  readonly command: string | null;
  readonly rowCount: number | null;
  readonly rows: readonly unknown[] | undefined;
}

type State =
  | { readonly name: "idle" }
  /** What begins the transaction goes out with its first statement. */
  | { readonly name: "beginning"; readonly sql: string }
  /** In a transaction, whose statements may take so long. */
  | { readonly name: "open"; limitMs: number }
  | { readonly name: "broken" };

/** What tells time, and when it is over. */
interface SessionOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
}

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

/** The limit that each connection has by itself: an earlier statement's, which often fits the next one. */
const ownLimitMs = new WeakMap<PostgresClient, number>();

/**
 * A connection to PostgreSQL while somebody has it. BEGIN and the time limit travel with the first statement, since a
 * round trip each would take longer than most statements. A transaction in which nothing was asked is none.
 */
export class PostgresSession implements DatabaseConnection {
  readonly #client: PostgresClient;
  readonly #options: SessionOptions;
  #state: State = { name: "idle" };

  constructor(client: PostgresClient, options: SessionOptions) {
    this.#client = client;
    this.#options = options;
  }

  begin({ isolationLevel, accessMode }: TransactionSettings): void {
    const isolation = isolationLevel === undefined ? "" : ` isolation level ${isolationLevel}`;
    this.#state = { name: "beginning", sql: `begin${isolation}${accessMode === undefined ? "" : ` ${accessMode}`};` };
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { command, rowCount, rows } = await this.#ask(sql, parameters);
    const isChange = command !== null && changing.has(command);
    return { ...(isChange && { numAffectedRows: BigInt(rowCount ?? 0) }), rows: (rows ?? []) as R[] };
  }

  /** Ends the transaction, and says so only if the server has written all of it. */
  async commit(): Promise<void> {
    if (this.#state.name === "beginning") this.#state = { name: "idle" };
    if (this.#state.name === "idle") return;
    let answer: StatementResult;
    try {
      answer = await this.#ask("commit");
    } catch (reason) {
      throw this.#state.name === "broken" ? commitUnknown(reason) : reason;
    }
    this.#state = { name: "idle" };
    if (answer.command !== "COMMIT") throw rolledBack();
  }

  /** Leaves nothing of the transaction. A connection that cannot even do that is closed, which does it too. */
  async rollback(): Promise<void> {
    if (this.#state.name === "open") await this.#send("rollback", [], rollbackMs).catch(() => this.#break());
    if (this.#state.name !== "broken") this.#state = { name: "idle" };
  }

  release(): void {
    this.#client.release(this.#state.name !== "idle");
  }

  streamQuery(): never {
    throw new Error("rows are read page by page, not streamed");
  }

  /** One statement within the time that is left for it. */
  async #ask(sql: string, parameters: readonly unknown[] = []): Promise<StatementResult> {
    const { clock } = this.#options;
    const sentAt = clock.now();
    const leftMs = timeLeftMs(clock);
    if (leftMs <= 0) throw late();
    const limitMs = statementMs(leftMs);
    const isAlone = this.#state.name === "idle" && Number.isFinite(limitMs);
    const renews = isAlone && !this.#fits(limitMs);
    const preface = renews ? `set statement_timeout=${Math.ceil(limitMs * keptRatio)};` : this.#preface(limitMs);
    if (renews) ownLimitMs.set(this.#client, Number.NaN); // until the server has taken it
    const isOne = parameters.length === 0;
    try {
      if (preface !== "" && !isOne) await this.#send(preface, [], leftMs); // values travel with one statement alone
      const answer = await this.#send(isOne ? preface + sql : sql, parameters, leftMs);
      if (renews) ownLimitMs.set(this.#client, Math.ceil(limitMs * keptRatio));
      return answer;
    } catch (reason) {
      throw stateOf(reason) === "57014" && clock.now() - sentAt >= limitMs * renewRatio ? late(reason) : reason;
    }
  }

  /** What goes before the next statement: the beginning of its transaction, and its limit where that is a new one. */
  #preface(limitMs: number): string {
    const state = this.#state;
    const limit =
      limitMs === uncalledMs ? "" : `set local statement_timeout=${Number.isFinite(limitMs) ? limitMs : 0};`;
    switch (state.name) {
      case "broken":
        throw new Error("Connection terminated");
      case "idle":
        return Number.isFinite(limitMs) ? "" : limit;
      case "beginning":
        this.#state = { name: "open", limitMs };
        return this.#fits(limitMs) ? state.sql : state.sql + limit;
      case "open":
        if (limitMs >= state.limitMs * renewRatio) return "";
        state.limitMs = limitMs;
        return limit;
    }
  }

  /** Whether the connection's own limit is no longer than `limitMs`, and not much shorter. */
  #fits(limitMs: number): boolean {
    const own = ownLimitMs.get(this.#client) ?? uncalledMs;
    return own <= limitMs && own >= limitMs * renewRatio;
  }

  /** A server that is silent for too long loses its connection; whoever waits is told. */
  async #send(text: string, values: readonly unknown[], leftMs: number): Promise<StatementResult> {
    const { clock, deadlines } = this.#options;
    const silence = { isOver: false, expire: () => this.#giveUp(silence) };
    const at = clock.now() + leftMs + graceMs;
    if (Number.isFinite(at)) deadlines.add(at, silence);
    try {
      const results = await this.#client.query(text, values);
      return (Array.isArray(results) ? results.at(-1) : results) ?? { command: null, rowCount: 0, rows: [] };
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
