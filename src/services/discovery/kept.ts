import type { Store } from "../../store/orm.ts";
import { instanceRepository, type KeptEntry } from "./instance-repository.ts";

/** What outlives discovery's process. */
export interface Kept {
  /** Counts one more start, and says the how manieth it is and what was kept. */
  start(): Promise<{ readonly starts: number; readonly entries: readonly KeptEntry[] }>;
  /** Writes entries in the place of those under the same ids, and removes ids: all of it, or nothing. */
  write(saved: readonly KeptEntry[], removedIds: readonly string[]): Promise<void>;
}

/** Kept as rows. The store, open over `discoveryRows`, stays the caller's to close, after discovery. */
export function keptInRows(store: Store): Kept {
  return {
    start: () =>
      store.unit(async (em) => {
        const rows = instanceRepository(em);
        return { starts: await rows.countStart(), entries: await rows.all() };
      }),
    write: (saved, removedIds) =>
      store.unit(async (em) => {
        const rows = instanceRepository(em);
        if (removedIds.length > 0) await rows.remove(removedIds);
        if (saved.length > 0) await rows.save(saved);
      }),
  };
}
