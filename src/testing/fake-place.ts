import { Load } from "../mesh/balance/load.ts";
import type { Candidate, Picker, Wish } from "../mesh/balance/picker.ts";
import type { Endpoint } from "../mesh/resolve/resolver.ts";
import { endpointAt } from "../mesh/resolve/static.ts";

/** A candidate with a real load, known from instant 0 unless one is given, whose share is set by hand. */
export class FakePlace implements Candidate {
  readonly endpoint: Endpoint;
  readonly load: Load;
  /** Its share at an instant; its weight unless set. */
  shareAt: (now: number) => number = () => this.endpoint.weight;

  constructor(id: string, endpoint: Partial<Endpoint> = {}, load: Load = new Load(0)) {
    this.endpoint = { ...endpointAt(id), ...endpoint };
    this.load = load;
  }

  get inFlight(): number {
    return this.load.inFlight;
  }

  cost(now: number): number {
    return this.load.cost(now);
  }

  share(now: number): number {
    return this.shareAt(now);
  }

  /** Begins `count` attempts that stay under way. */
  busy(count: number, now = 0): this {
    for (let i = 0; i < count; i++) this.load.begin(now);
    return this;
  }
}

/** `count` places: "e0", "e1", … */
export function fakePlaces(count: number, endpoint: Partial<Endpoint> = {}): FakePlace[] {
  return Array.from({ length: count }, (_, i) => new FakePlace(`e${i}`, endpoint));
}

/** A wish of no particulars at instant 0. */
export const anyWish: Wish = { now: 0, hash: undefined, tried: [] };

/** How often each of the ids is picked in `times` picks that begin no attempt. */
export function tally(picker: Picker<FakePlace>, times: number, wish: Wish = anyWish): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < times; i++) {
    const { id } = picker.pick(wish).endpoint;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}
