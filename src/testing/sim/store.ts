import type { DatabaseConnection, Driver, TransactionSettings } from "kysely";
import { type Store, type StoreOptions, storeOver } from "../../store/orm.ts";
import { createOrm } from "../../store/orm-config.ts";
import type { Node } from "./node.ts";
import type { Timeline } from "./timeline.ts";

/** Which rows, in which file, for which process. */
export interface SimStoreOptions extends Pick<StoreOptions, "name" | "entities" | "migrationsDir"> {
  /** A SQLite file that was migrated before the world began. */
  readonly file: string;
  readonly node: Node;
  readonly timeline: Timeline;
}

/**
 * Opens a store in a process of the simulated world: the real one, over a real file, where each statement takes some time. When the
 * process ends, between any two statements or between a commit and the news of it, what was not committed is taken back, and
 * nothing that waited for the database goes on.
 */
export async function openSimStore({ file, node, timeline, ...rows }: SimStoreOptions): Promise<Store> {
  const pace = new Pace(node, timeline);
  const sqliteBetween = (driver: Driver) => new PacedDriver(driver, pace);
  const database = { kind: "sqlite", file } as const;
  const orm = await createOrm({ ...rows, database, clock: node.clock, sqliteBetween });
  await orm.connect();
  pace.begin();
  return storeOver(orm, node.clock);
}

/** The longest that a step of a database takes, in milliseconds. */
const longestMs = 0.4;

/** How time passes in a database: each step is an event of the world, and of a process that runs. */
class Pace {
  readonly #node: Node;
  readonly #timeline: Timeline;
  #begun = false;

  constructor(node: Node, timeline: Timeline) {
    this.#node = node;
    this.#timeline = timeline;
  }

  /** From now on time passes: to open the store takes none. */
  begin(): void {
    this.#begun = true;
  }

  /** Resolves a moment later; never, if the process has ended by then. */
  async step(): Promise<void> {
    if (!this.#begun) return;
    const { process, random } = this.#node;
    await new Promise<void>((resolve) => {
      const at = this.#timeline.now + random() * longestMs;
      this.#timeline.call(at, () => process.run(resolve));
    });
  }

  onEnd(listener: () => void): void {
    this.#node.process.onEnd(listener);
  }
}

class PacedConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection;
  readonly #pace: Pace;

  constructor(inner: DatabaseConnection, pace: Pace) {
    this.inner = inner;
    this.#pace = pace;
  }

  executeQuery<R>(...query: Parameters<DatabaseConnection["executeQuery"]>) {
    return paced(this.#pace, () => this.inner.executeQuery<R>(...query));
  }

  streamQuery<R>(...query: Parameters<DatabaseConnection["streamQuery"]>) {
    return this.inner.streamQuery<R>(...query);
  }
}

class PacedDriver implements Driver {
  readonly #driver: Driver;
  readonly #pace: Pace;
  #closed: Promise<void> | undefined;

  constructor(driver: Driver, pace: Pace) {
    this.#driver = driver;
    this.#pace = pace;
  }

  async init(): Promise<void> {
    await this.#driver.init();
    this.#pace.onEnd(() => void this.destroy());
  }

  async acquireConnection(): Promise<PacedConnection> {
    return new PacedConnection(await this.#driver.acquireConnection(), this.#pace);
  }

  beginTransaction({ inner }: PacedConnection, settings: TransactionSettings): Promise<void> {
    return paced(this.#pace, () => this.#driver.beginTransaction(inner, settings));
  }

  commitTransaction({ inner }: PacedConnection): Promise<void> {
    return paced(this.#pace, () => this.#driver.commitTransaction(inner));
  }

  rollbackTransaction({ inner }: PacedConnection): Promise<void> {
    return paced(this.#pace, () => this.#driver.rollbackTransaction(inner));
  }

  async savepoint({ inner }: PacedConnection, ...rest: Tail<NonNullable<Driver["savepoint"]>>): Promise<void> {
    await this.#driver.savepoint?.(inner, ...rest);
  }

  async rollbackToSavepoint(
    { inner }: PacedConnection,
    ...rest: Tail<NonNullable<Driver["savepoint"]>>
  ): Promise<void> {
    await this.#driver.rollbackToSavepoint?.(inner, ...rest);
  }

  async releaseSavepoint({ inner }: PacedConnection, ...rest: Tail<NonNullable<Driver["savepoint"]>>): Promise<void> {
    await this.#driver.releaseSavepoint?.(inner, ...rest);
  }

  releaseConnection({ inner }: PacedConnection): Promise<void> {
    return this.#driver.releaseConnection(inner);
  }

  /** By whoever comes first: the store's owner, or the end of the process. */
  destroy(): Promise<void> {
    this.#closed ??= this.#driver.destroy();
    return this.#closed;
  }
}

type Tail<F extends (...args: never[]) => unknown> = Parameters<F> extends [unknown, ...infer Rest] ? Rest : never;

/** A step before, and one after: the process may end with the work undone, or done and not known. */
async function paced<T>(pace: Pace, work: () => Promise<T>): Promise<T> {
  await pace.step();
  const done = await work();
  await pace.step();
  return done;
}
