/** An answer as it is kept: all that a caller gets of it. */
export interface KeptAnswer {
  readonly status: number;
  readonly header: readonly (readonly [name: string, value: string])[];
  /** `undefined` of an answer that was too long to be kept. */
  readonly body: Uint8Array | undefined;
}

/** What is known of a key when somebody comes with it. */
export interface KnownKey {
  /** Empty where it was let go of: the next request may be another one. */
  readonly fingerprint: string;
  readonly holder: string;
  readonly leaseEndsAt: number;
  readonly endsAt: number;
  /** `undefined` as long as somebody is at it. */
  readonly answer: KeptAnswer | undefined;
}

/** How much may be kept at the most. */
export interface KeepLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** What one who comes with a key is to do. */
export type Claim =
  /** To do the work: nobody has, or who began it is gone. The key stands for it until `endsAt`. */
  | { readonly kind: "work"; readonly endsAt: number }
  /** To give the answer that there is. */
  | { readonly kind: "answered"; readonly answer: KeptAnswer }
  /** To wait: somebody is at it. */
  | { readonly kind: "busy" }
  /** To be refused: the key stands for another request. */
  | { readonly kind: "reused" };

/**
 * Decides what one who comes with a known key is to do at `now`. A key whose time is over, or whose holder has not been
 * heard of for the length of its lease, may be taken over: nobody can say then how far the work had got. It is the same
 * work, then, until the key's own time is over: `newEndsAt` is for a new one.
 */
export function claimOf(known: KnownKey, { fingerprint, now, newEndsAt }: ClaimFacts): Claim {
  if (known.endsAt <= now) return { kind: "work", endsAt: newEndsAt };
  if (known.fingerprint !== "" && known.fingerprint !== fingerprint) return { kind: "reused" };
  if (known.answer !== undefined) return { kind: "answered", answer: known.answer };
  return known.leaseEndsAt <= now ? { kind: "work", endsAt: known.endsAt } : { kind: "busy" };
}

/** What one comes with, and when. */
export interface ClaimFacts {
  readonly fingerprint: string;
  readonly now: number;
  readonly newEndsAt: number;
}

/** Statuses of requests that were not processed, or of which nobody knows whether they were: the next try is a new one. */
const notTheLastWord: ReadonlySet<number> = new Set([
  401, 403, 404, 405, 406, 408, 411, 413, 414, 415, 425, 429, 431, 499, 501, 502, 503, 504,
]);

/**
 * Whether an answer is what a key stands for from now on. Not those that tell the caller to come again as somebody else,
 * in another way or later: the key is then free, and the next request with it is passed on like the first. Where nobody
 * knows what became of that (503, 504), the service can: it gets the key, and the same `request_id`.
 */
export function isLasting(status: number): boolean {
  return !notTheLastWord.has(status);
}
