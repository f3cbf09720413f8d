import type { ConnectError } from "@connectrpc/connect";
import type { Outcome } from "../../call/outcome.ts";
import type { Endpoint } from "../resolve/resolver.ts";

/** An endpoint as a balancer sees it. */
export interface Candidate {
  readonly endpoint: Endpoint;
  /** Attempts of this client under way there. */
  readonly inFlight: number;
  /** What one more attempt there would cost, in milliseconds: expected latency × (inFlight + 1) + penalty. Whole, above 0. */
  cost(now: number): number;
  /** Its share against others: weight, times slow start, times what its load reports say. Above 0. */
  share(now: number): number;
}

/** What a pick goes by. */
export interface Wish {
  readonly now: number;
  /** 32 bits (`hashOf`) that calls for the same thing have in common: ring hash sends them to the same endpoint. */
  readonly hash: number | undefined;
  /** Ids of the endpoints that this call has been to. */
  readonly tried: readonly string[];
}

/** A snapshot that chooses: one not among `tried` while one is left, else any. A pick makes nothing on the heap. */
export interface Picker<T extends Candidate> {
  pick(wish: Wish): T;
}

/**
 * Makes pickers over at least one candidate; among nobody it throws RangeError. Each channel has its own and asks it
 * again whenever the candidates change: what has to outlive a snapshot, such as whose turn it is, is kept here.
 */
export interface Balancer {
  picker<T extends Candidate>(candidates: readonly T[]): Picker<T>;
}

/** Where an attempt goes: a place, to be told how it fares; nowhere yet; or nowhere. */
export type Pick =
  | ({ readonly kind: "endpoint"; readonly endpoint: Endpoint } & Faring)
  | { readonly kind: "wait" } // nothing is known yet
  | { readonly kind: "refuse"; readonly error: ConnectError };

/** What the place that was picked wants to hear. */
export interface Faring {
  /** The endpoint has begun to answer a stream: it works, however long the stream goes on. */
  answered(): void;
  /** The attempt has ended. Once. */
  done(outcome: Outcome): void;
}
