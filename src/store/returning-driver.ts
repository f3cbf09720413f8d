import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult, TransactionSettings } from "kysely";

type Compile = Parameters<NonNullable<Driver["savepoint"]>>[2];

/**
 * The same dialect, whose connections always come back from a transaction.
 *
 * Kysely lets go of a transaction's connection only after a commit or a rollback that went well. Without this, a lock
 * that was waited for too long, a full disk or a server that restarts would each keep a connection for ever: SQLite's
 * only one, or PostgreSQL's one after the other.
 */
export function returning<D extends Dialect>(dialect: D): D {
  const createDriver = dialect.createDriver.bind(dialect);
  dialect.createDriver = () => new ReturningDriver(createDriver());
  return dialect;
}

/** A connection that, once its transaction could not begin, fails until that transaction has been ended. */
class Connection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  failure: { readonly reason: unknown } | undefined;

  constructor(inner: DatabaseConnection) {
    this.inner = inner;
  }

  assertBegun(): void {
    if (this.failure) throw this.failure.reason;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    this.assertBegun();
    return this.inner.executeQuery<R>(query);
  }

  streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    this.assertBegun();
    return this.inner.streamQuery<R>(query, chunkSize);
  }
}

class ReturningDriver implements Driver {
  readonly #driver: Driver;
  readonly #connections = new WeakMap<DatabaseConnection, Connection>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  init(): Promise<void> {
    return this.#driver.init();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const inner = await this.#driver.acquireConnection();
    const known = this.#connections.get(inner) ?? new Connection(inner);
    this.#connections.set(inner, known);
    return known;
  }

  /** A failure is kept for the first query or the commit, after which the transaction is rolled back and let go of. */
  async beginTransaction(connection: Connection, settings: TransactionSettings): Promise<void> {
    try {
      await this.#driver.beginTransaction(connection.inner, settings);
    } catch (reason) {
      connection.failure = { reason };
    }
  }

  async commitTransaction(connection: Connection): Promise<void> {
    connection.assertBegun();
    await this.#driver.commitTransaction(connection.inner);
  }

  /** Where there is nothing left to roll back, the database has done it itself, or is gone: the pool then drops it. */
  async rollbackTransaction(connection: Connection): Promise<void> {
    const begun = connection.failure === undefined;
    connection.failure = undefined;
    if (begun) await this.#driver.rollbackTransaction(connection.inner).catch(() => {});
  }

  async savepoint(connection: Connection, name: string, compile: Compile): Promise<void> {
    await this.#driver.savepoint?.(connection.inner, name, compile);
  }

  async rollbackToSavepoint(connection: Connection, name: string, compile: Compile): Promise<void> {
    await this.#driver.rollbackToSavepoint?.(connection.inner, name, compile);
  }

  async releaseSavepoint(connection: Connection, name: string, compile: Compile): Promise<void> {
    await this.#driver.releaseSavepoint?.(connection.inner, name, compile);
  }

  releaseConnection(connection: Connection): Promise<void> {
    return this.#driver.releaseConnection(connection.inner);
  }

  destroy(): Promise<void> {
    return this.#driver.destroy();
  }
}
