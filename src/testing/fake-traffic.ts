import { type Random, seededRandom } from "../base/random.ts";
import type { Verdict } from "../call/outcome.ts";
import type { Picker } from "../mesh/balance/picker.ts";
import type { FakePlace } from "./fake-place.ts";

/** How an attempt at a place will end. */
export interface Served {
  readonly durationMs: number;
  readonly verdict?: Verdict;
  readonly pushbackMs?: number;
}

/** Calls that come by chance, so many a second for so long, and how they are served. */
export interface Traffic {
  readonly picker: (now: number) => Picker<FakePlace>;
  readonly perSecond: number;
  readonly seconds: number;
  readonly serve: (place: FakePlace, now: number, random: Random) => Served;
  /** Told after each pick, before the attempt begins. */
  readonly onPick?: (place: FakePlace, now: number) => void;
  readonly seed?: number;
}

/** Which place got how many of the attempts, second by second. */
export class Attempts {
  readonly #bySecond: Map<string, number>[] = [];

  /** Counts one. */
  add(id: string, now: number): void {
    const second = Math.floor(now / 1_000);
    const counts = this.#bySecond[second] ?? new Map<string, number>();
    this.#bySecond[second] = counts;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }

  /** What part of the attempts from one second to another went to the place. */
  ratio(id: string, from = 0, to = this.#bySecond.length): number {
    let own = 0;
    let all = 0;
    for (const counts of this.#bySecond.slice(from, to)) {
      own += counts?.get(id) ?? 0;
      for (const count of counts?.values() ?? []) all += count;
    }
    return own / all;
  }
}

/** Sends traffic through a picker, millisecond by millisecond, from instant 0 on. */
export function sendTraffic({ picker, perSecond, seconds, serve, onPick, seed = 1 }: Traffic): Attempts {
  const random = seededRandom(seed);
  const attempts = new Attempts();
  const ends = new Map<number, (() => void)[]>();
  for (let now = 0; now < seconds * 1_000; now++) {
    for (const end of ends.get(now) ?? []) end();
    ends.delete(now);
    const arrivals = Array.from({ length: 10 }, random).filter((dice) => dice < perSecond / 10_000);
    for (const _ of arrivals) {
      const place = picker(now).pick({ now, hash: Math.floor(random() * 2 ** 32), tried: [] });
      onPick?.(place, now);
      attempts.add(place.endpoint.id, now);
      place.load.begin(now);
      const { durationMs, verdict = "ok", pushbackMs } = serve(place, now, random);
      const at = now + Math.max(1, Math.round(durationMs));
      ends.set(at, [...(ends.get(at) ?? []), () => place.load.end(verdict, at - now, at, pushbackMs)]);
    }
  }
  return attempts;
}
