import { seededRandom, systemRandom } from "../base/random.ts";
import { type BalancerName, type BalancerOptions, balancerNames, createBalancer } from "../mesh/balance/balancers.ts";
import type { Picker, Wish } from "../mesh/balance/picker.ts";
import { FakePlace } from "../testing/fake-place.ts";

/** What one pick costs. */
export interface PickRow {
  /** A balancer's name, and what stands around it. */
  readonly balancer: string;
  readonly candidates: number;
  readonly nsPerPick: number;
  readonly bytesPerPick: number;
}

/** Picks of one measurement of time, and of memory: few enough that the collector seldom comes between. */
const timedPicks = 200_000;
const weighedPicks = 5_000;

/** Picks before anything is measured: enough for the compiler to be done. */
const warmUpPicks = 200_000;

/** How often each is measured; the median counts. */
const measurements = 9;

/** An instant as clocks tell it: too great a number to be kept without the heap being thought of. */
const startAt = Date.UTC(2026, 0, 1);

const fleets = [10, 1_000] as const;

/**
 * What a pick costs with each balancer, alone and with a zone and a subset, among ten candidates and a thousand. Their
 * weights, latencies and attempts under way all differ, a tenth has failed, and time moves on every hundred picks: the
 * cheap case of equals in a standing instant is not what is measured.
 */
export function measurePicks(): PickRow[] {
  return fleets.flatMap((candidates) => [
    ...balancerNames.map((name) => measured(name, { name, candidates })),
    measured("peak-ewma, zone first", { name: "peak-ewma", candidates, options: { zone: "a" } }),
    measured("peak-ewma, 20 of all", { name: "peak-ewma", candidates, options: { subset: { clientId: "bench" } } }),
  ]);
}

interface Case {
  readonly name: BalancerName;
  readonly candidates: number;
  readonly options?: BalancerOptions;
}

function measured(balancer: string, { name, candidates, options = {} }: Case): PickRow {
  const course = new Course(createBalancer(name, { random: systemRandom, ...options }).picker(fleet(candidates)));
  course.run(warmUpPicks);
  const ns = medianOf(() => course.nsOf(timedPicks));
  const bytes = medianOf(() => course.bytesOf(weighedPicks));
  return { balancer, candidates, nsPerPick: ns / timedPicks, bytesPerPick: bytes / weighedPicks };
}

/** Picks in a row, with one wish that is filled in again each time. */
class Course {
  readonly #picker: Picker<FakePlace>;
  readonly #wish: { -readonly [K in keyof Wish]: Wish[K] } = { now: startAt, hash: 0, tried: [] };
  #picks = 0;
  #seen = 0;

  constructor(picker: Picker<FakePlace>) {
    this.#picker = picker;
  }

  run(picks: number): void {
    for (let i = 0; i < picks; i++) {
      if (++this.#picks % 100 === 0) this.#wish.now++;
      this.#wish.hash = Math.imul(this.#picks, 0x9e3779b1);
      this.#seen += this.#picker.pick(this.#wish).endpoint.weight;
    }
  }

  nsOf(picks: number): number {
    const startedAt = process.hrtime.bigint();
    this.run(picks);
    return Number(process.hrtime.bigint() - startedAt);
  }

  bytesOf(picks: number): number {
    const before = process.memoryUsage().heapUsed;
    this.run(picks);
    return process.memoryUsage().heapUsed - before;
  }
}

function fleet(count: number): FakePlace[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, (_, i) => {
    const place = new FakePlace(`e${i}`, { weight: 100 + Math.floor(random() * 200), zone: "abc"[i % 3] ?? "" });
    place.busy(1 + Math.floor(random() * 5), startAt - 200);
    place.load.end(i % 10 === 0 ? "failure" : "ok", 1 + random() * 50, startAt - 100);
    return place;
  });
}

function medianOf(measure: () => number): number {
  const values = Array.from({ length: measurements }, measure).sort((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? Number.NaN;
}
