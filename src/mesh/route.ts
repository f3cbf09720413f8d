import type { DescMethod } from "@bufbuild/protobuf";
import type { Random } from "../base/random.ts";
import { type MethodPolicy, methodPolicy } from "../call/policy.ts";
import { servicePolicy } from "../call/service-policy.ts";
import type { Picker } from "./balance/picker.ts";
import type { Place } from "./place.ts";
import type { Bulkhead } from "./policy/bulkhead.ts";
import { Latency, slowAboveMs } from "./policy/latency.ts";
import { contractRetry, type RetryPolicy } from "./policy/retry-policy.ts";
import type { Choice } from "./story.ts";

/** Whom picks may choose among, as a snapshot. */
export interface Snapshot {
  readonly kind: "some";
  readonly places: readonly Place[];
  readonly picker: Picker<Place>;
  /** The same, as it is remembered. */
  readonly choice: Choice;
}

/** One method of a service as one client sees it: its rules, how long it takes of late, and whom it may pick now. */
export class Route {
  readonly method: DescMethod;
  readonly policy: MethodPolicy;
  /** What its calls took of late, at all endpoints together. */
  readonly latency = new Latency();
  /** How many calls may be under way at once. */
  readonly bulkhead: Bulkhead;
  /** Whether a failed attempt is followed by another. */
  readonly retry: RetryPolicy;
  /** Whether picks go by a key of the request. */
  readonly isKeyed: boolean;
  /** Whether servers are asked to report their load. */
  readonly wantsReports: boolean;
  #snapshot: Snapshot | undefined;

  constructor(method: DescMethod, { bulkhead, random }: { readonly bulkhead: Bulkhead; readonly random: Random }) {
    const { balance, loadReports } = servicePolicy(method.parent);
    this.method = method;
    this.policy = methodPolicy(method);
    this.bulkhead = bulkhead;
    this.retry = contractRetry(this.policy.retry, random);
    this.isKeyed = balance === "ring-hash";
    this.wantsReports = loadReports;
  }

  /** Whom to pick from, if that still holds. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Keeps a snapshot until the candidates change. */
  keep(snapshot: Snapshot): Snapshot {
    this.#snapshot = snapshot;
    return snapshot;
  }

  /** Who may be picked is not what it was: the next pick looks anew. */
  candidatesChanged(): void {
    this.#snapshot = undefined;
  }

  /** Whether an attempt that took so long was slow against what the method's attempts take, all endpoints together. */
  isSlow(durationMs: number, now: number): boolean {
    return durationMs > slowAboveMs(this.policy.breaker, this.latency, now);
  }
}
