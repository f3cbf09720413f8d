/** What became of the orders that were placed, request by request. */
export interface Tally {
  /** Orders answered with 201, by their request ids. */
  readonly accepted: Map<string, string>;
  /** Orders that were begun. */
  placed: number;
  /** Requests in all: an order that failed clearly is asked for again. */
  requests: number;
  /** Requests that failed clearly, by status and reason, or by how the connection broke. */
  readonly failed: Map<string, number>;
  /** Requests that took longer than their deadline and the way there and back. */
  readonly late: string[];
  /** What must never be: a second order for one request id, a refusal of what is right. */
  readonly wrong: string[];
  /** Times of accepted requests, in milliseconds. */
  readonly tookMs: number[];
  cancelled: number;
}

/** Nothing has happened yet. */
export function createTally(): Tally {
  return {
    accepted: new Map(),
    placed: 0,
    requests: 0,
    failed: new Map(),
    late: [],
    wrong: [],
    tookMs: [],
    cancelled: 0,
  };
}

/** One more of a kind. */
export function count(kinds: Map<string, number>, kind: string): void {
  kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
}
