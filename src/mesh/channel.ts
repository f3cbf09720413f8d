import type { DescMethod } from "@bufbuild/protobuf";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Followed } from "../base/watch.ts";
import { unavailable } from "../call/errors.ts";
import { type BreakerRules, methodPolicy } from "../call/policy.ts";
import { withProgress } from "../call/progress.ts";
import type { SessionPool } from "../wire/session-pool.ts";
import type { Balancer, Candidate, Faring, Pick } from "./balance/picker.ts";
import { Circuit } from "./policy/circuit.ts";
import { RetryBudget } from "./policy/retry-budget.ts";
import type { Endpoint, Resolution } from "./resolve/resolver.ts";

/** What a channel is made of. */
export interface ChannelOptions {
  /** The service's full name. */
  readonly service: string;
  readonly resolution: Followed<Resolution>;
  readonly balancer: Balancer;
  readonly sessions: SessionPool;
  readonly clock: Clock;
  readonly random: Random;
}

/** A service as one client sees it: its endpoints, how each fares, and what may be sent again. */
export class Channel implements Disposable {
  readonly service: string;
  readonly resolution: Followed<Resolution>;
  readonly budget = new RetryBudget();
  readonly #options: ChannelOptions;
  readonly #unsubscribe: () => void;
  #places: readonly Place[] = [];

  constructor(options: ChannelOptions) {
    this.service = options.service;
    this.resolution = options.resolution;
    this.#options = options;
    this.#unsubscribe = options.resolution.subscribe((resolution) => this.#update(resolution));
    this.#update(options.resolution.value);
  }

  /** Chooses where an attempt of the method goes, to an endpoint not among `tried` while another is left. */
  pick(method: DescMethod, tried: readonly string[]): Pick {
    if (this.resolution.value.kind === "pending") return { kind: "wait" };
    const { breaker } = methodPolicy(method);
    const now = this.#options.clock.now();
    const isOpen = (place: Place) => place.isOpen(breaker, now);
    const open = this.#places.every(isOpen) ? this.#places : this.#places.filter(isOpen);
    if (open.length === 0) return { kind: "refuse", error: this.#refusal(breaker, now) };
    const untried = tried.length === 0 ? open : open.filter((place) => !tried.includes(place.endpoint.id));
    const place = this.#options.balancer(untried.length > 0 ? untried : open);
    return { kind: "endpoint", endpoint: place.endpoint, ...place.begin(breaker, this.#options.clock) };
  }

  /** Resolves when something is known of the service's endpoints; rejects when the signal aborts. */
  async known(signal: AbortSignal): Promise<void> {
    await this.resolution.until(({ kind }) => kind !== "pending", signal);
  }

  /** Whether an endpoint is left that is not among `tried`. */
  hasOthers(tried: readonly string[]): boolean {
    return this.#places.some((place) => !tried.includes(place.endpoint.id));
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    for (const place of this.#places) this.#options.sessions.release(place.endpoint.address);
    this.#places = [];
  }

  /** Takes over the new endpoints; those that stay keep their counts and circuits. */
  #update(resolution: Resolution): void {
    if (resolution.kind === "pending") return;
    const { sessions, random } = this.#options;
    const before = new Map(this.#places.map((place) => [keyOf(place.endpoint), place]));
    this.#places = resolution.endpoints.map((endpoint) => {
      const known = before.get(keyOf(endpoint));
      if (known === undefined) sessions.retain(endpoint.address);
      before.delete(keyOf(endpoint));
      return known ?? new Place(endpoint, random);
    });
    for (const gone of before.values()) sessions.release(gone.endpoint.address);
  }

  #refusal(breaker: BreakerRules, now: number) {
    const message = this.#places.length === 0 ? this.#nobody() : this.#allOpen(breaker, now);
    const reason = this.#places.length === 0 ? "NO_ENDPOINT" : "CIRCUIT_OPEN";
    const info = { reason, domain: "heddle", metadata: { service: this.service } };
    return withProgress(unavailable(message, info), "not-sent");
  }

  #nobody(): string {
    const { value } = this.resolution;
    const why = value.kind === "last-known" ? `; discovery cannot be asked: ${value.problem}` : "";
    return `no endpoint of ${this.service} is registered and healthy${why}`;
  }

  #allOpen(breaker: BreakerRules, now: number): string {
    const each = this.#places.map((place) => {
      const seconds = Math.ceil(place.circuit(breaker).waitMs(now) / 1_000);
      return `at ${place.endpoint.address}, next try in ${seconds} s`;
    });
    return `circuit open for ${this.service} ${each.join("; ")}`;
  }
}

/** One endpoint with what this client knows of it. */
class Place implements Candidate {
  readonly endpoint: Endpoint;
  readonly #random: Random;
  /** Methods with the same rules share a circuit. */
  readonly #circuits = new Map<string, Circuit>();
  readonly #circuitsByRules = new Map<BreakerRules, Circuit>();
  #inFlight = 0;

  constructor(endpoint: Endpoint, random: Random) {
    this.endpoint = endpoint;
    this.#random = random;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  circuit(rules: BreakerRules): Circuit {
    const known = this.#circuitsByRules.get(rules);
    if (known !== undefined) return known;
    const key = Object.values(rules).join();
    const circuit = this.#circuits.get(key) ?? new Circuit(rules, { random: this.#random });
    this.#circuits.set(key, circuit);
    this.#circuitsByRules.set(rules, circuit);
    return circuit;
  }

  /** Whether an attempt may go there. Time alone decides when one goes to a circuit that opened. */
  isOpen(rules: BreakerRules, now: number): boolean {
    const circuit = this.circuit(rules);
    circuit.tick(now);
    circuit.probed(true, now);
    return circuit.isAdmitting(now);
  }

  /** Begins an attempt. */
  begin(rules: BreakerRules, clock: Clock): Faring {
    const circuit = this.circuit(rules);
    const permit = circuit.admit(clock.now());
    let works = false;
    this.#inFlight++;
    return {
      answered() {
        works = true;
        circuit.record("ok", permit, clock.now());
      },
      done: ({ verdict }) => {
        this.#inFlight--;
        if (!works || verdict === "failure") circuit.record(verdict, permit, clock.now());
      },
    };
  }
}

function keyOf({ id, address }: Endpoint): string {
  return `${id} ${address}`;
}
