import type { Logger } from "../../base/log.ts";
import type { KeptEntry } from "./instance-repository.ts";
import type { Kept } from "./kept.ts";

/** Versions that one start may use up: at a thousand changes a second, a third of a year. */
const versionsPerStart = 10_000_000_000n;

/**
 * What the registry keeps over a restart. Registrations are written before they are acknowledged, one after the other, so
 * that rows and memory agree on who came last; what checks and leases find out is written soon after, the latest only.
 */
export class Journal implements AsyncDisposable {
  readonly #kept: Kept;
  readonly #log: Logger;
  /** Notes not written yet: what to keep of an id, or that it is gone. */
  readonly #notes = new Map<string, KeptEntry | undefined>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(kept: Kept, log: Logger) {
    this.#kept = kept;
    this.#log = log;
  }

  /** What was kept, and a version above all that any earlier start has told, even of changes that it did not write. */
  async start(): Promise<{ readonly entries: readonly KeptEntry[]; readonly version: bigint }> {
    const { starts, entries } = await this.#kept.start();
    return { version: BigInt(starts) * versionsPerStart, entries };
  }

  /** Runs after all that was asked for before; one at a time, whether that went well or not. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined); // the failure is its caller's to hear
    return turn;
  }

  /** Writes at once, all or nothing. Call it in turn. */
  write(saved: readonly KeptEntry[], removedIds: readonly string[]): Promise<void> {
    return this.#kept.write(saved, removedIds);
  }

  /** Notes the latest of an entry, or that it is gone, to be written when its turn comes. */
  note(id: string, entry: KeptEntry | undefined): void {
    this.#notes.set(id, entry);
    if (this.#notes.size === 1) void this.inTurn(() => this.#writeNotes());
  }

  /** Forgets what was noted of these ids: what was just written of them is later. */
  overtake(ids: readonly string[]): void {
    for (const id of ids) this.#notes.delete(id);
  }

  /** Writes what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.inTurn(() => this.#writeNotes());
  }

  /** A note that cannot be written is told and dropped: what it says is found out again after a restart. */
  async #writeNotes(): Promise<void> {
    const notes = [...this.#notes];
    this.#notes.clear();
    const saved = notes.flatMap(([, entry]) => entry ?? []);
    const removedIds = notes.filter(([, entry]) => entry === undefined).map(([id]) => id);
    try {
      await this.write(saved, removedIds);
    } catch (error) {
      this.#log.error("cannot keep what the checks found", { error, ids: notes.map(([id]) => id) });
    }
  }
}
