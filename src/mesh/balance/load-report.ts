import type { LoadReport } from "../../call/load-report.ts";

/** How much an error counts against use: at 1, one in ten failing is as bad as a tenth more in use. */
const errorPenalty = 1;

/** A server's first reports, and those after a silence, count only after this: it has yet to see its usual load. */
const blackoutMs = 10_000;

/** A report counts this long. */
const expiryMs = 180_000;

/** A report never makes more of an endpoint than this many times the mean, nor less than one over it. */
const mostRatio = 10;

/** Mean weights are summed up again after this long. */
const freshMs = 1_000;

/**
 * What a report makes of an endpoint: calls a second over how used it is, which is how many it would carry if it were
 * used up. `undefined` if the report does not say enough.
 * https://github.com/grpc/proposal/blob/master/A58-client-side-weighted-round-robin-lb-policy.md
 */
export function weightOf({ utilization, qps, eps }: LoadReport): number | undefined {
  if (!(qps > 0 && utilization > 0)) return undefined;
  return qps / (utilization + (Math.max(0, eps) / qps) * errorPenalty);
}

/** The load reports of one service's endpoints: each counts against the others' mean. One per channel. */
export class LoadReports {
  readonly #endpoints = new Set<EndpointReports>();
  #mean: number | undefined;
  #madeAt = Number.NEGATIVE_INFINITY;

  /** The reports of an endpoint that has come. It stays until it leaves. */
  join(): EndpointReports {
    const joined = new EndpointReports(this);
    this.#endpoints.add(joined);
    return joined;
  }

  /** The endpoint is gone. */
  leave(endpoint: EndpointReports): void {
    this.#endpoints.delete(endpoint);
  }

  /** The mean of all weights that count now; `undefined` if none does. */
  mean(now: number): number | undefined {
    const ageMs = now - this.#madeAt;
    if (ageMs >= 0 && ageMs < freshMs) return this.#mean;
    this.#madeAt = now;
    let sum = 0;
    let count = 0;
    for (const endpoint of this.#endpoints) {
      const weight = endpoint.weight(now);
      if (weight === undefined) continue;
      sum += weight;
      count++;
    }
    this.#mean = count === 0 ? undefined : sum / count;
    return this.#mean;
  }
}

/** What one endpoint reports of itself. */
export class EndpointReports {
  readonly #all: LoadReports;
  #weight = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #countsFrom = 0;

  constructor(all: LoadReports) {
    this.#all = all;
  }

  /** Takes in a report; one that does not say enough is as none. */
  take(report: LoadReport, now: number): void {
    const weight = weightOf(report);
    if (weight === undefined) return;
    if (!this.#isFresh(now)) this.#countsFrom = now + blackoutMs;
    this.#weight = weight;
    this.#reportedAt = now;
  }

  /** What the last report makes of it, in calls a second; `undefined` during blackout and when it has expired. */
  weight(now: number): number | undefined {
    return this.#isFresh(now) && now >= this.#countsFrom ? this.#weight : undefined;
  }

  /**
   * Its weight over the mean of all that have one, from a tenth to ten: what an idle endpoint says of itself is mostly
   * noise. 1, as good as any, while it has none itself.
   */
  ratio(now: number): number {
    const weight = this.weight(now);
    const mean = weight === undefined ? undefined : this.#all.mean(now);
    if (weight === undefined || mean === undefined) return 1;
    return Math.min(mostRatio, Math.max(1 / mostRatio, weight / mean));
  }

  #isFresh(now: number): boolean {
    const ageMs = now - this.#reportedAt;
    return ageMs >= 0 && ageMs < expiryMs;
  }
}
