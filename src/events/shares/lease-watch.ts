import type { Clock } from "../../base/clock.ts";

/** A row of leases as it was read. */
export interface LeaseRow {
  readonly work: string;
  readonly holder: string;
  readonly until: Date;
}

/** When a row was first seen as it is, by our even clock. */
interface Sight {
  readonly token: string;
  readonly at: number;
}

/**
 * Tells which leases have lapsed: those that nobody has renewed while we watched for a whole term.
 *
 * Two machines' calendars differ, and one may be set back; so nobody's `until` is compared with anybody's date. What counts
 * is whether a row changes, by the even clock of who watches. Its holder counts the same term from before it wrote the
 * row, which nobody can have seen sooner: so the holder has always let go first.
 */
export class LeaseWatch {
  readonly #clock: Clock;
  readonly #termMs: number;
  readonly #seen = new Map<string, Sight>();

  constructor(clock: Clock, termMs: number) {
    this.#clock = clock;
    this.#termMs = termMs;
  }

  /** Takes note of all rows as they are now, and forgets those that are gone. */
  see(rows: readonly LeaseRow[]): void {
    const at = this.#clock.now();
    const present = new Set(rows.map(({ work }) => work));
    for (const work of this.#seen.keys()) if (!present.has(work)) this.#seen.delete(work);
    for (const row of rows) {
      const token = tokenOf(row);
      if (this.#seen.get(row.work)?.token !== token) this.#seen.set(row.work, { token, at });
    }
  }

  /** Whether the row, as it was seen last, has stood like that for a whole term, or is nobody's anyhow. */
  lapsed(row: LeaseRow): boolean {
    if (row.holder === "") return true;
    const seen = this.#seen.get(row.work);
    return seen !== undefined && seen.token === tokenOf(row) && this.#clock.now() - seen.at >= this.#termMs;
  }
}

function tokenOf({ holder, until }: LeaseRow): string {
  return `${holder} ${until.getTime()}`;
}
