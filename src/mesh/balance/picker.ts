import type { ConnectError } from "@connectrpc/connect";
import type { Outcome } from "../../call/outcome.ts";
import type { Endpoint } from "../resolve/resolver.ts";

/** An endpoint as a balancer sees it. */
export interface Candidate {
  readonly endpoint: Endpoint;
  /** Attempts of this client under way there. */
  readonly inFlight: number;
}

/** Chooses one of the candidates, of which there is at least one. */
export type Balancer = <T extends Candidate>(candidates: readonly T[]) => T;

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
