import { CompiledQuery, type Driver, type TransactionSettings } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import { StoreFailure } from "./failure.ts";
import { type PostgresClient, PostgresLink } from "./postgres-link.ts";
import { PostgresSession } from "./postgres-session.ts";
import { PreparedStatements, Preparing } from "./prepared-statements.ts";
import { timeLeftMs } from "./time-left.ts";

/** The parts of `pg`'s pool that are used. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
  readonly options: { readonly max: number };
}

/** The most that is waited for a connection, in milliseconds. */
const waitMs = 5_000;

/**
 * PostgreSQL over a pool, whose connections always come back, or are replaced: whatever becomes of a transaction, of
 * the server or of the call's time.
 */
export class PostgresDriver implements Driver {
  readonly #pool: PostgresPool;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #preparing = new Preparing();
  readonly #prepared = new WeakMap<PostgresClient, PreparedStatements>();
  #used = 0;

  constructor(pool: PostgresPool, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresSession> {
    const client = await this.#connect();
    this.#used++;
    const prepared = this.#prepared.get(client) ?? new PreparedStatements(this.#preparing);
    this.#prepared.set(client, prepared);
    const link = new PostgresLink(client, { clock: this.#clock, deadlines: this.#deadlines, prepared });
    return new PostgresSession(link, this.#clock);
  }

  async beginTransaction(session: PostgresSession, settings: TransactionSettings): Promise<void> {
    session.begin(settings);
  }

  commitTransaction(session: PostgresSession): Promise<void> {
    return session.commit();
  }

  rollbackTransaction(session: PostgresSession): Promise<void> {
    return session.rollback();
  }

  async savepoint(session: PostgresSession, name: string): Promise<void> {
    await session.executeQuery(CompiledQuery.raw(`savepoint ${name}`));
  }

  async rollbackToSavepoint(session: PostgresSession, name: string): Promise<void> {
    await session.executeQuery(CompiledQuery.raw(`rollback to savepoint ${name}`));
  }

  async releaseSavepoint(session: PostgresSession, name: string): Promise<void> {
    await session.executeQuery(CompiledQuery.raw(`release savepoint ${name}`));
  }

  async releaseConnection(session: PostgresSession): Promise<void> {
    this.#used--;
    session.release();
  }

  async destroy(): Promise<void> {
    this.#deadlines[Symbol.dispose]();
    await this.#pool.end();
  }

  /** A connection of the pool, or why there is none in time. One that comes later goes back at once. */
  async #connect(): Promise<PostgresClient> {
    const { promise, reject, resolve } = Promise.withResolvers<PostgresClient>();
    const at = this.#clock.now() + Math.min(waitMs, timeLeftMs(this.#clock));
    let isLate = false;
    const due = {
      expire: () => {
        isLate = true;
        reject(this.#noneFree());
      },
    };
    this.#deadlines.add(at, due);
    this.#pool.connect().then((client) => (isLate ? client.release() : resolve(client)), reject);
    try {
      return await promise;
    } finally {
      this.#deadlines.remove(at, due);
    }
  }

  #noneFree(): Error {
    const { max } = this.#pool.options;
    if (this.#used < max) return new Error("timeout exceeded when trying to connect");
    return new StoreFailure("STORE_POOL", `all ${max} connections of this process are in use (DATABASE_POOL)`);
  }
}
