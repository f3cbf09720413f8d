import type { Followed } from "../../base/watch.ts";

/** One address that serves a service. */
export interface Endpoint {
  /** The instance's id; two instances never share one, even one after the other at the same address. */
  readonly id: string;
  /** What people call the service: "user". */
  readonly name: string;
  /** "host:port". */
  readonly address: string;
  /** "https" where it speaks TLS. */
  readonly scheme?: "https";
  readonly zone: string;
  /** Its share against others, from 1 to 1000. */
  readonly weight: number;
  readonly version: string;
}

/**
 * What is known of a service's endpoints: nothing yet; what the source says now; or what it said last, when it cannot
 * be asked.
 */
export type Resolution =
  | { readonly kind: "pending" }
  | { readonly kind: "live"; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: "last-known"; readonly endpoints: readonly Endpoint[]; readonly problem: string };

/** Name → endpoints, followed over time. */
export interface Resolver extends AsyncDisposable {
  /** Follows a Protobuf service by its full name. The same service twice is followed once. */
  resolve(service: string): Followed<Resolution>;
  /** An endpoint of the service cannot be connected to: what was last heard of it may be old. Said often; heeded at will. */
  lookAgain?(service: string): void;
}
