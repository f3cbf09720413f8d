import type { Kept } from "./kept.ts";

/** Kept for as long as somebody holds it: for one discovery after the other in one process, as simulations have them. */
export function keptInMemory(): Kept {
  const entries = new Map<string, Parameters<Kept["write"]>[0][number]>();
  let starts = 0;
  return {
    start: async () => ({ starts: ++starts, entries: [...entries.values()] }),
    async write(saved, removedIds) {
      for (const id of removedIds) entries.delete(id);
      for (const entry of saved) entries.set(entry.instance.id, entry);
    },
  };
}
