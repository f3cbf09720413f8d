import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import type { Random } from "../base/random.ts";
import { linkSignals } from "../base/signals.ts";
import type { Followed } from "../base/watch.ts";
import { meshClosed, unavailable } from "../call/errors.ts";
import { methodName } from "../call/method.ts";
import { methodPolicy } from "../call/policy.ts";
import { withProgress } from "../call/progress.ts";
import { servicePolicy } from "../call/service-policy.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import { mayEject, pickable } from "./balance/ejection.ts";
import { expectedLatencyMs } from "./balance/load.ts";
import { LoadReports } from "./balance/load-report.ts";
import type { Balancer } from "./balance/picker.ts";
import { choiceOf, type Pickable } from "./choice.ts";
import { Place } from "./place.ts";
import { Bulkheads } from "./policy/bulkhead.ts";
import { RetryBudget } from "./policy/retry-budget.ts";
import { RetryBuffer } from "./policy/retry-buffer.ts";
import type { Endpoint, Resolution } from "./resolve/resolver.ts";
import { Route, type Snapshot } from "./route.ts";

/** What a channel is made of. */
export interface ChannelOptions {
  readonly service: DescService;
  readonly resolution: Followed<Resolution>;
  /** Told when an endpoint cannot be connected to: others may be known meanwhile. */
  readonly onUnreachable: () => void;
  readonly balancer: Balancer;
  readonly sessions: SessionPool;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly random: Random;
}

/** Whom picks may choose among: some; nobody is known yet; or nobody, with the error that says why. */
export type Candidates =
  | Snapshot
  | { readonly kind: "pending" }
  | { readonly kind: "nobody"; readonly error: ConnectError };

/** A service as one client sees it: its endpoints, how each fares, and what may be sent again. */
export class Channel implements Disposable {
  readonly service: string;
  readonly resolution: Followed<Resolution>;
  /** Of retries and hedges of all its methods. */
  readonly budget = new RetryBudget();
  /** Of what all its calls keep to send it again. */
  readonly buffer = new RetryBuffer();
  readonly #options: ChannelOptions;
  readonly #routes = new Map<DescMethod, Route>();
  readonly #reports = new LoadReports();
  readonly #bulkheads = new Bulkheads();
  readonly #unsubscribe: () => void;
  readonly #closing = new AbortController();
  #places: readonly Place[] = [];

  constructor(options: ChannelOptions) {
    this.service = options.service.typeName;
    this.resolution = options.resolution;
    this.#options = options;
    this.#unsubscribe = options.resolution.subscribe((resolution) => this.#update(resolution));
    this.#update(options.resolution.value);
  }

  /** One of its methods. Throws PolicyError if the contract contradicts itself. */
  route(method: DescMethod): Route {
    const known = this.#routes.get(method);
    if (known !== undefined) return known;
    const made = new Route(method, {
      bulkhead: this.#bulkheads.of(methodPolicy(method).concurrency),
      random: this.#options.random,
    });
    this.#routes.set(method, made);
    return made;
  }

  /** Who may be picked for a route now: the same snapshot each time, until that changes. */
  candidates(route: Route): Candidates {
    if (route.snapshot !== undefined) return route.snapshot;
    if (this.resolution.value.kind === "pending") return { kind: "pending" };
    const now = this.#options.clock.now();
    const { places, rule } = this.#pickable(route, now);
    if (places.length === 0) return { kind: "nobody", error: this.#refusal(route) };
    const choice = choiceOf({ places, rule, all: this.#places, route, now });
    return route.keep({ kind: "some", places, picker: this.#options.balancer.picker(places), choice });
  }

  /** Resolves when something is known of the service's endpoints; rejects when the signal aborts, or the mesh closes. */
  async known(signal: AbortSignal): Promise<void> {
    using either = linkSignals(signal, this.#closing.signal);
    await this.resolution.until(({ kind }) => kind !== "pending", either.signal);
  }

  /** Whether an endpoint is left that is not among `tried`. */
  hasOthers(tried: readonly string[]): boolean {
    return this.#places.some((place) => !tried.includes(place.endpoint.id));
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.#closing.abort(meshClosed());
    for (const place of this.#places) this.#leave(place);
    this.#places = [];
  }

  /**
   * The places that may be picked: those that can be reached and that their circuits let; but where these are fewer than
   * half, health is not believed any more, and all that can be reached are. One whose time to be tried has come gets the
   * next attempt: by its cost alone, which remembers how it failed, it would wait much longer.
   */
  #pickable(route: Route, now: number): Pickable {
    const reachable = this.#places.filter(({ isReachable }) => isReachable);
    const standing = reachable.length === 0 ? this.#places : reachable;
    const trial = standing.find((place) => place.isOnTrial(route));
    if (trial !== undefined) return { places: [trial], rule: "trial" };
    const healthy = standing.filter((place) => place.isAdmitting(route, now));
    const places = pickable(healthy, standing);
    return { places, rule: places === healthy ? "healthy" : "panic" };
  }

  /** Whether the route may leave one more endpoint alone. */
  readonly #mayEject = (route: Route): boolean => {
    const now = this.#options.clock.now();
    const ejected = this.#places.filter((place) => !place.isAdmitting(route, now));
    return mayEject(ejected.length, this.#places.length);
  };

  /** Takes over the new endpoints; those that stay keep what is known of them. */
  #update(resolution: Resolution): void {
    if (resolution.kind === "pending") return;
    const before = new Map(this.#places.map((place) => [keyOf(place.endpoint), place]));
    this.#places = resolution.endpoints.map((endpoint) => {
      const known = before.get(keyOf(endpoint));
      before.delete(keyOf(endpoint));
      if (known === undefined) return this.#arrive(endpoint);
      known.endpoint = endpoint;
      return known;
    });
    for (const gone of before.values()) this.#leave(gone);
    this.#candidatesChanged();
  }

  readonly #candidatesChanged = (): void => {
    for (const route of this.#routes.values()) route.candidatesChanged();
  };

  readonly #reachableChanged = (): void => {
    this.#candidatesChanged();
    if (this.#places.some(({ isReachable }) => !isReachable)) this.#options.onUnreachable();
  };

  #arrive(endpoint: Endpoint): Place {
    const { service, sessions, deadlines, clock, random } = this.#options;
    const loads = this.#places.map(({ load }) => load);
    return new Place(endpoint, {
      service: this.service,
      sessions,
      deadlines,
      clock,
      random,
      reports: this.#reports.join(),
      slowStartMs: servicePolicy(service).slowStartMs,
      reportIntervalMs: servicePolicy(service).loadReportIntervalMs,
      expectedMs: expectedLatencyMs(loads, clock.now()),
      mayEject: this.#mayEject,
      onReachable: this.#reachableChanged,
    });
  }

  #leave(place: Place): void {
    place[Symbol.dispose]();
    this.#reports.leave(place.reports);
  }

  #refusal(route: Route): ConnectError {
    const isEmpty = this.#places.length === 0;
    const info = {
      reason: isEmpty ? "NO_ENDPOINT" : "CIRCUIT_OPEN",
      domain: "heddle",
      metadata: { service: this.service },
    };
    return withProgress(unavailable(isEmpty ? this.#nobody() : this.#allOpen(route), info), "not-sent");
  }

  #nobody(): string {
    const { value } = this.resolution;
    const why = value.kind === "last-known" ? `; discovery cannot be asked: ${value.problem}` : "";
    return `no endpoint of ${this.service} is registered and healthy${why}`;
  }

  #allOpen(route: Route): string {
    const now = this.#options.clock.now();
    const each = this.#places.map((place) => {
      const circuit = place.circuit(route);
      const seconds = Math.ceil(circuit.waitMs(now) / 1_000);
      return `at ${place.endpoint.address}, next try in ${seconds} s (${circuit.why})`;
    });
    return `circuit open for ${methodName(route.method)} ${each.join("; ")}`;
  }
}

function keyOf({ id, address }: Endpoint): string {
  return `${id} ${address}`;
}
