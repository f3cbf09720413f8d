import type { Addresses } from "../load.ts";
import type { StageName } from "./contract.ts";
import type { Mood } from "./replica-handlers.ts";

/** What a replica is. */
export interface ReplicaPlan {
  readonly stage: StageName;
  /** How it fares at first; or so many turns that it computes for each call. */
  readonly mood: Mood | { readonly turns: number };
  /** What its dice fall by. */
  readonly seed: number;
  /** Whether it refuses what is too much. */
  readonly sheds: boolean;
  /** Workers; by default as many as there are calls. */
  readonly workers?: number;
  /** Whom it asks in its turn, and with what client. */
  readonly next?: { readonly peer: string; readonly addresses: Addresses };
}

/** What it is told. */
export type ReplicaOrder = { readonly mood: Mood } | { readonly workers: number } | { readonly arrivals: true };
