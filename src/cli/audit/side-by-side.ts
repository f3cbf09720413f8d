import type { Row, Snapshot } from "../databases/snapshot.ts";

/** Rows of several queries that have the same key. */
export interface Match {
  readonly key: string;
  /** Of each query its rows with that key, in the order of the queries. */
  readonly rows: readonly (readonly Row[])[];
}

/** A query whose column `key` its rows are sorted by, as `sortedBy` spells it. */
export interface Sorted {
  readonly of: Snapshot;
  readonly sql: string;
}

/** How to sort by a column so that all databases, and this program, agree on what comes first: by its bytes. */
export function sortedBy(column: string, { kind }: Snapshot): string {
  return `order by ${column}${kind === "postgres" ? ` collate "C"` : ""}`;
}

/**
 * Reads sorted queries of several databases side by side: one match for each key that any of them has. It holds a page of
 * each, so a million rows take no more room than a thousand.
 */
export async function* sideBySide(...queries: readonly Sorted[]): AsyncGenerator<Match> {
  const readers = queries.map((query) => new SortedReader(query));
  for (;;) {
    for (const reader of readers) if (reader.isDry) await reader.fill();
    let key: string | undefined;
    for (const { next } of readers) if (next !== undefined && (key === undefined || next < key)) key = next;
    if (key === undefined) return;
    const rows: Row[][] = [];
    for (const reader of readers) rows.push(reader.next === key ? await reader.take(key) : []);
    yield { key, rows };
  }
}

class SortedReader {
  readonly #pages: AsyncIterator<readonly Row[]>;
  #page: readonly Row[] = [];
  #at = 0;
  #hasEnded = false;

  constructor({ of, sql }: Sorted) {
    this.#pages = of.pages(sql)[Symbol.asyncIterator]();
  }

  get next(): string | undefined {
    const row = this.#page[this.#at];
    return row === undefined ? undefined : String(row.key);
  }

  get isDry(): boolean {
    return this.#at >= this.#page.length && !this.#hasEnded;
  }

  async fill(): Promise<void> {
    while (this.isDry) {
      const { done, value } = await this.#pages.next();
      this.#hasEnded = done === true;
      this.#page = done ? [] : value;
      this.#at = 0;
    }
  }

  async take(key: string): Promise<Row[]> {
    const taken: Row[] = [];
    while (this.next === key) {
      taken.push(this.#page[this.#at++] as Row);
      if (this.isDry) await this.fill();
    }
    return taken;
  }
}
