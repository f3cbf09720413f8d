import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteDialect,
  type TransactionSettings,
} from "kysely";
import type { Clock } from "../base/clock.ts";
import { Checkpoints } from "./checkpoints.ts";
import { late } from "./failure.ts";
import { whenFree } from "./lock-wait.ts";
import { openSqliteFile, type SqliteFile, type SqliteSync } from "./sqlite-file.ts";
import { timeLeftMs } from "./time-left.ts";
import { Turn } from "./turn.ts";

/** Which file, and how it is used. */
export interface SqliteOptions {
  readonly file: string;
  readonly sync: SqliteSync;
  /** The most that is waited for another process's lock. */
  readonly lockWaitMs: number;
  readonly clock: Clock;
  /** What stands between MikroORM and the file: the simulator, which lets time pass there, and knows of no threads. */
  readonly between?: (driver: Driver) => Driver;
}

/**
 * A SQLite file that several processes may share without meeting a lock error: each writing transaction takes the write
 * lock when it begins, so none is refused half way, and asks for it until the call's time is over. What only reads has a
 * connection of its own, and waits neither for a writer of this process nor for one of another.
 */
export class FileSqliteDialect extends SqliteDialect {
  readonly #options: SqliteOptions;

  constructor(options: SqliteOptions) {
    super({ database: async () => Promise.reject(new Error("opened by the driver")) });
    this.#options = options;
  }

  override createAdapter(): SqliteAdapter {
    return new ManyConnectionsAdapter();
  }

  override createDriver(): Driver {
    const driver = new FileDriver(this.#options);
    return this.#options.between?.(driver) ?? driver;
  }
}

class ManyConnectionsAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): true {
    return true;
  }
}

class FileDriver implements Driver {
  readonly #options: SqliteOptions;
  #files: Files | undefined;

  constructor(options: SqliteOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    this.#files = new Files(this.#options);
  }

  async acquireConnection(): Promise<SqliteSession> {
    if (this.#files === undefined) throw new Error("the driver is not open");
    return new SqliteSession(this.#files);
  }

  beginTransaction(session: SqliteSession, settings: TransactionSettings): Promise<void> {
    return session.begin(settings);
  }

  async commitTransaction(session: SqliteSession): Promise<void> {
    await session.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(session: SqliteSession): Promise<void> {
    session.rollback();
  }

  async savepoint(session: SqliteSession, name: string): Promise<void> {
    await session.executeQuery(CompiledQuery.raw(`savepoint ${name}`));
  }

  async rollbackToSavepoint(session: SqliteSession, name: string): Promise<void> {
    await session.executeQuery(CompiledQuery.raw(`rollback to savepoint ${name}`));
  }

  async releaseSavepoint(session: SqliteSession, name: string): Promise<void> {
    await session.executeQuery(CompiledQuery.raw(`release savepoint ${name}`));
  }

  async releaseConnection(session: SqliteSession): Promise<void> {
    session.release();
  }

  async destroy(): Promise<void> {
    await this.#files?.close();
  }
}

const breathMs = 20;

/** The connections to one file: one writes, the others read. */
class Files {
  readonly options: SqliteOptions;
  readonly turn: Turn;
  readonly #checkpoints: Checkpoints | undefined;
  writer: SqliteFile;
  readonly #idleReaders: SqliteFile[] = [];
  #breathedAt = 0;

  constructor(options: SqliteOptions) {
    this.options = options;
    this.turn = new Turn(options.clock);
    this.#checkpoints = options.between ? undefined : new Checkpoints(options, options.clock);
    this.writer = openSqliteFile(options.file, options.sync);
  }

  takeReader(): SqliteFile {
    return this.#idleReaders.pop() ?? openSqliteFile(this.options.file, this.options.sync);
  }

  returnReader(reader: SqliteFile): void {
    this.#idleReaders.push(reader);
  }

  /** A writer that cannot even roll back is closed, which does it too. */
  replaceWriter(): void {
    this.writer.close();
    this.writer = openSqliteFile(this.options.file, this.options.sync);
  }

  /**
   * Lets timers and sockets have their turn now and then. SQLite answers at once, so work that writes one unit after the
   * other would otherwise never let go of the process.
   */
  async breathe(): Promise<void> {
    const now = this.options.clock.now();
    if (now - this.#breathedAt < breathMs) return;
    this.#breathedAt = now;
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Ends a turn. */
  written(): void {
    this.turn.release();
    this.#checkpoints?.committed();
  }

  /** Does at once what the lock and the call's time allow. */
  async whenFree<T>(work: () => T): Promise<T> {
    const { clock, lockWaitMs } = this.options;
    const leftMs = timeLeftMs(clock);
    if (leftMs <= 0) throw late();
    try {
      return await whenFree(work, { timeoutMs: Math.min(lockWaitMs, leftMs), clock });
    } catch (reason) {
      throw timeLeftMs(clock) <= 0 ? late(reason) : reason;
    }
  }

  async close(): Promise<void> {
    await this.#checkpoints?.close();
    this.writer.close();
    for (const reader of this.#idleReaders) reader.close();
  }
}

type State =
  | { readonly name: "idle" }
  | { readonly name: "writing" }
  | { readonly name: "reading"; readonly reader: SqliteFile };

const onlyReads = /^\s*(select|explain)\b/i;

/** The file while somebody asks it: outside a transaction nothing is held between two statements. */
class SqliteSession implements DatabaseConnection {
  readonly #files: Files;
  #state: State = { name: "idle" };

  constructor(files: Files) {
    this.#files = files;
  }

  async begin({ accessMode }: TransactionSettings): Promise<void> {
    if (accessMode === "read only") return this.#beginReading();
    await this.#files.breathe();
    await this.#takeTurn();
    this.#state = { name: "writing" };
    try {
      await this.#files.whenFree(() => this.#files.writer.run("begin immediate", []));
    } catch (reason) {
      this.release(); // who could not begin is not asked to let go
      throw reason;
    }
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes, lastInsertRowid } = await this.#run(sql, parameters);
    return {
      ...(changes !== undefined && { numAffectedRows: BigInt(changes) }),
      ...(lastInsertRowid !== undefined && { insertId: BigInt(lastInsertRowid) }),
      rows: rows as R[],
    };
  }

  streamQuery(): never {
    throw new Error("rows are read page by page, not streamed");
  }

  /** Where there is nothing left to roll back, SQLite has done it itself, as on a full disk. */
  rollback(): void {
    const file = this.#state.name === "reading" ? this.#state.reader : this.#files.writer;
    try {
      if (file.isInTransaction) file.run("rollback", []);
    } catch {
      if (file === this.#files.writer) this.#files.replaceWriter();
    }
  }

  release(): void {
    const state = this.#state;
    this.#state = { name: "idle" };
    if (state.name === "writing") this.#files.written();
    if (state.name === "reading") this.#files.returnReader(state.reader);
  }

  async #beginReading(): Promise<void> {
    const reader = this.#files.takeReader();
    this.#state = { name: "reading", reader };
    await this.#files.whenFree(() => reader.run("begin", []));
  }

  async #run(sql: string, parameters: readonly unknown[]) {
    const files = this.#files;
    const state = this.#state;
    if (state.name === "reading") return files.whenFree(() => state.reader.run(sql, parameters));
    if (state.name === "writing") return files.whenFree(() => files.writer.run(sql, parameters));
    return onlyReads.test(sql) ? this.#readOnce(sql, parameters) : this.#writeOnce(sql, parameters);
  }

  async #readOnce(sql: string, parameters: readonly unknown[]) {
    return this.#files.whenFree(() => {
      const reader = this.#files.takeReader();
      try {
        return reader.run(sql, parameters);
      } finally {
        this.#files.returnReader(reader);
      }
    });
  }

  async #writeOnce(sql: string, parameters: readonly unknown[]) {
    await this.#takeTurn();
    try {
      return await this.#files.whenFree(() => this.#files.writer.run(sql, parameters));
    } finally {
      this.#files.written();
    }
  }

  #takeTurn(): Promise<void> {
    return this.#files.turn.take(timeLeftMs(this.#files.options.clock));
  }
}
