/** Spans of a lease. */
export interface LeaseOptions {
  /** How long a lease lasts without renewal. */
  readonly ttlMs?: number;
  /** How long a lease outlives the stream that held it: time for a client to connect again. */
  readonly graceMs?: number;
  /** The most that counts as lived between two looks at the clock. */
  readonly maxStepMs?: number;
}

/** One keep-alive stream, as the leases see it. */
export type Holder = symbol;

interface Lease {
  endsAt: number;
  holder: Holder | undefined;
}

/**
 * Which registrations are still being renewed: told the time, never asking for it.
 *
 * Leases run on time that discovery has lived through: a clock that is set forward or back, a process that was stopped or
 * starved counts as `maxStepMs` at most, since renewals that nobody was there to read are not the client's fault.
 */
export class Leases {
  readonly ttlMs: number;
  readonly #graceMs: number;
  readonly #maxStepMs: number;
  readonly #leases = new Map<string, Lease>();
  #livedMs = 0;
  #seenAt: number | undefined;

  constructor({ ttlMs = 15_000, graceMs = 3_000, maxStepMs = 2_000 }: LeaseOptions = {}) {
    this.ttlMs = ttlMs;
    this.#graceMs = graceMs;
    this.#maxStepMs = maxStepMs;
  }

  /** How many there are. */
  get size(): number {
    return this.#leases.size;
  }

  /** Begins a lease, or begins it anew: the full span, and no stream yet whose end would shorten it. */
  begin(id: string, now: number): void {
    this.#leases.set(id, { endsAt: this.#lived(now) + this.ttlMs, holder: undefined });
  }

  /** Renews a lease, which now hangs on this stream and on no earlier one. False if there is none. */
  renew(id: string, holder: Holder, now: number): boolean {
    const lease = this.#leases.get(id);
    if (!lease) return false;
    lease.endsAt = this.#lived(now) + this.ttlMs;
    lease.holder = holder;
    return true;
  }

  /** A stream has ended: what hung on it lasts a short while yet, but no longer than it would have. Returns its ids. */
  release(holder: Holder, now: number): readonly string[] {
    const graceEndsAt = this.#lived(now) + this.#graceMs;
    const held = [...this.#leases].filter(([, lease]) => lease.holder === holder);
    for (const [, lease] of held) {
      lease.holder = undefined;
      lease.endsAt = Math.min(lease.endsAt, graceEndsAt);
    }
    return held.map(([id]) => id);
  }

  /** Forgets a lease: the instance was taken out, or its registration does not lapse. */
  end(id: string): void {
    this.#leases.delete(id);
  }

  /** Ends every lease that has run out, and names them. To be called more often than `maxStepMs`. */
  lapsed(now: number): readonly string[] {
    const lived = this.#lived(now);
    const ids = [...this.#leases].filter(([, lease]) => lease.endsAt <= lived).map(([id]) => id);
    for (const id of ids) this.#leases.delete(id);
    return ids;
  }

  #lived(now: number): number {
    const stepMs = now - (this.#seenAt ?? now);
    this.#livedMs += Math.min(Math.max(stepMs, 0), this.#maxStepMs);
    this.#seenAt = now;
    return this.#livedMs;
  }
}
