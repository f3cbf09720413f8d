import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import { jsonLogger, type Logger } from "../../base/log.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import { Watchable } from "../../base/watch.ts";
import { runDetached } from "../../call/context.ts";
import { type DnsLookup, dnsLookup } from "./dns-lookup.ts";
import { type DnsName, dnsNameOf, endpointsOf } from "./dns-name.ts";
import type { Endpoint, Resolution, Resolver } from "./resolver.ts";

/** What names are looked up by. */
export interface DnsParts {
  /** By default the machine's own rules: its hosts file, its search domains, its DNS servers. */
  readonly lookup?: DnsLookup;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** Which services are found by which names. */
export interface DnsResolverOptions extends DnsParts {
  /**
   * Service name → "host:port", whose addresses are the endpoints; or → "host", whose SRV records
   * (`_grpc._tcp.host`) say endpoints, ports, priorities and weights. A service not among them has none.
   */
  readonly names: Readonly<Record<string, string>>;
}

/** How long an answer is believed, give or take a tenth. */
const refreshMs = 30_000;

/** How soon the same name may be looked up again, whoever asks for that; and the first wait after a failure. */
const shortestMs = 1_000;

/** How long a lookup may take. */
const patienceMs = 5_000;

/**
 * Finds endpoints by DNS: every address a name has is one, with the address for its id. Names are looked up again every
 * 30 s, and a second after an endpoint of theirs could not be connected to. While a name cannot be looked up, or has
 * nothing any more, which is mostly an accident, the last good answer stays. Throws if a name is none.
 */
export function dnsResolver({ names, ...parts }: DnsResolverOptions): Resolver {
  const asked = namesOf(names);
  const watches = new Map<string, NameWatch>();
  const nobody = new Watchable<Resolution>({ kind: "live", endpoints: [] });
  const { lookup = dnsLookup(), clock = systemClock, random = systemRandom } = parts;
  const { log = jsonLogger({ level: "warn" }) } = parts;
  let isClosed = false;
  return {
    resolve(service) {
      const name = asked.get(service);
      if (name === undefined || isClosed) return watches.get(service)?.followed ?? nobody;
      const known = watches.get(service);
      if (known !== undefined) return known.followed;
      // Detached: the watch outlives the call that happened to be the first to ask.
      const made = runDetached(() => new NameWatch(name, { service, lookup, clock, random, log }));
      watches.set(service, made);
      return made.followed;
    },
    lookAgain: (service) => watches.get(service)?.lookAgain(),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      for (const watch of watches.values()) watch[Symbol.dispose]();
      if (parts.lookup === undefined) lookup.cancel?.();
    },
  };
}

function namesOf(names: Readonly<Record<string, string>>): ReadonlyMap<string, DnsName> {
  const read = Object.entries(names).map(([service, name]) => {
    try {
      return [service, dnsNameOf(name)] as const;
    } catch (reason) {
      throw new Error(`${service}: ${reason instanceof Error ? reason.message : String(reason)}`);
    }
  });
  return new Map(read);
}

interface NameWatchParts extends Required<DnsParts> {
  readonly service: string;
}

/** `asking`: until the timer, an answer is waited for. `waiting`: at `dueAt`, which is the timer's, it asks again. */
type State =
  | { readonly kind: "asking"; readonly timer: Timer; readonly askedAt: number }
  | { readonly kind: "waiting"; readonly timer: Timer; readonly askedAt: number; readonly dueAt: number }
  | { readonly kind: "closed" };

/** One name, looked up again and again. */
class NameWatch implements Disposable {
  readonly followed = new Watchable<Resolution>({ kind: "pending" });
  readonly #name: DnsName;
  readonly #parts: NameWatchParts;
  #state: State;
  #failures = 0;

  constructor(name: DnsName, parts: NameWatchParts) {
    this.#name = name;
    this.#parts = parts;
    this.#state = this.#ask();
  }

  /** Asks again soon: a second after it last asked, or at once if that is over. */
  lookAgain(): void {
    const now = this.#parts.clock.now();
    if (this.#state.kind !== "waiting") return; // what is being asked will be news
    const dueAt = Math.max(now, this.#state.askedAt + shortestMs);
    if (dueAt >= this.#state.dueAt) return;
    this.#state.timer.cancel();
    this.#state = this.#waiting(this.#state.askedAt, dueAt - now);
  }

  [Symbol.dispose](): void {
    if (this.#state.kind !== "closed") this.#state.timer.cancel();
    this.#state = { kind: "closed" };
  }

  #ask(): State {
    const { clock, lookup } = this.#parts;
    const late = () => this.#failed(asking, `DNS has not answered within ${patienceMs} ms`);
    const asking: State = { kind: "asking", timer: clock.setTimer(patienceMs, late), askedAt: clock.now() };
    endpointsOf(this.#name, lookup).then(
      (endpoints) => this.#answered(asking, endpoints),
      (reason) => this.#failed(asking, reason instanceof Error ? reason.message : String(reason)),
    );
    return asking;
  }

  /** An answer to what it does not ask any more is not listened to. */
  #answered(asking: State, endpoints: readonly Endpoint[]): void {
    if (this.#state !== asking || asking.kind !== "asking") return;
    asking.timer.cancel();
    this.#failures = 0;
    this.#state = this.#waiting(asking.askedAt, this.#around(refreshMs));
    const { value } = this.followed;
    if (value.kind !== "live" || !areSame(value.endpoints, endpoints)) this.followed.set({ kind: "live", endpoints });
  }

  #failed(asking: State, problem: string): void {
    if (this.#state !== asking || asking.kind !== "asking") return;
    asking.timer.cancel();
    const waitMs = Math.min(refreshMs, shortestMs * 2 ** this.#failures++);
    this.#state = this.#waiting(asking.askedAt, this.#around(waitMs));
    const { service, log } = this.#parts;
    if (this.#failures === 1)
      log.warn("DNS does not help; calls go on with the endpoints known last", { service, problem });
    const { value } = this.followed;
    const endpoints = value.kind === "pending" ? [] : value.endpoints;
    if (value.kind !== "last-known" || value.problem !== problem) {
      this.followed.set({ kind: "last-known", endpoints, problem });
    }
  }

  #waiting(askedAt: number, waitMs: number): State {
    const { clock } = this.#parts;
    const again = () => {
      this.#state = this.#ask();
    };
    return { kind: "waiting", timer: clock.setTimer(waitMs, again), askedAt, dueAt: clock.now() + waitMs };
  }

  /** So that those who started together do not ask together. */
  #around(ms: number): number {
    return ms * (0.9 + 0.2 * this.#parts.random());
  }
}

function areSame(some: readonly Endpoint[], others: readonly Endpoint[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ id, weight }, index) => id === others[index]?.id && weight === others[index]?.weight)
  );
}
