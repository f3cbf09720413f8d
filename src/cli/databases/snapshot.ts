/** A row as raw SQL gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** One database as it was at one instant, whatever is written meanwhile. */
export interface Snapshot {
  readonly kind: "sqlite" | "postgres";
  /** All rows of a query that has few. */
  all(sql: string): Promise<readonly Row[]>;
  /** The rows of a query that may have millions, page by page. */
  pages(sql: string): AsyncIterable<readonly Row[]>;
}

/** A database that can be held still for a moment. */
export interface Holdable<S extends Snapshot = Snapshot> extends AsyncDisposable {
  /** Lets nobody write. Rejects with `StillBusy` when others did not let go in `waitMs`. */
  hold(waitMs: number): Promise<void>;
  /** Keeps the database as it is now; the snapshot lives as long as this. */
  pin(): Promise<S>;
  /** Lets others write again. */
  release(): Promise<void>;
}

/** Others hold a lock for longer than we wait. */
export class StillBusy extends Error {}
