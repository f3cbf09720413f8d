import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** How many entries there are, by where the map or set was made that holds them. */
export type EntryCounts = ReadonlyMap<string, number>;

/** A map or a set, and where it was made. */
interface Holder {
  readonly entries: WeakRef<{ readonly size: number }>;
  readonly site: string;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/**
 * Counts what is held by every `Map` and `Set` that this thread makes from now on, whoever makes it, until it is
 * disposed of. What nobody can reach any more does not count.
 */
export class Entries implements Disposable {
  readonly #own = { Map: globalThis.Map, Set: globalThis.Set };
  readonly #holders: Holder[] = [];

  constructor() {
    const note = (made: { readonly size: number }) => this.#note(made);
    globalThis.Map = class<K, V> extends this.#own.Map<K, V> {
      constructor(entries?: Iterable<readonly [K, V]> | null) {
        super(entries);
        note(this);
      }
    };
    globalThis.Set = class<V> extends this.#own.Set<V> {
      constructor(values?: Iterable<V> | null) {
        super(values);
        note(this);
      }
    };
  }

  /** Takes real time: the world's has to stand still meanwhile. */
  async count(): Promise<EntryCounts> {
    await setImmediate(); // what this turn of the event loop has touched cannot be collected in it
    collectGarbage();
    const counts = new this.#own.Map<string, number>();
    for (const { entries, site } of this.#holders) {
      const size = entries.deref()?.size ?? 0;
      if (size > 0) counts.set(site, (counts.get(site) ?? 0) + size);
    }
    return counts;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#own);
  }

  #note(made: { readonly size: number }): void {
    this.#holders.push({ entries: new WeakRef(made), site: siteOf(new Error("made")) });
  }
}

/**
 * The nearest line of ours that made it, or of a package. As text, at once: an error whose stack nobody has read keeps
 * alive who was on it.
 */
function siteOf({ stack = "" }: Error): string {
  const calls = stack
    .split("\n")
    .filter((line) => line.includes("file://") && !line.includes("/simulation/entries.ts"));
  const own = calls.find((line) => line.includes("/src/") && !line.includes("/node_modules/"));
  return /\/(?:src|node_modules)\/[^)]*/.exec(own ?? calls[0] ?? "")?.[0] ?? "Node";
}
