import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import type { Serving } from "../../testing/sim/replica.ts";
import type { Hop, Token } from "./hop.ts";

/** How a replica fares, for those who ask it. */
export interface Mood {
  /** Share of calls that fail, and with what. */
  failRatio: number;
  code: Code;
  /** How long it takes over a call, in milliseconds. */
  ms: number;
}

/** How replicas fare, by name; those not named are well. */
export type Moods = Map<string, Mood>;

/** A replica that is well. */
export const well: Mood = { failRatio: 0, code: Code.Unavailable, ms: 1 };

/** How often each call was begun, by service and replica: "back make 17". */
export class Ledger {
  readonly #begun = new Map<string, number>();
  readonly #byReplica = new Map<string, number[]>();

  /** A handler begins. */
  begin(service: string, method: string, id: string, replica: string, atMs: number): void {
    const key = `${service} ${method} ${id}`;
    this.#begun.set(key, (this.#begun.get(key) ?? 0) + 1);
    const times = this.#byReplica.get(replica) ?? [];
    times.push(atMs);
    this.#byReplica.set(replica, times);
  }

  /** How often each call was begun: its key, and the count. */
  get begun(): ReadonlyMap<string, number> {
    return this.#begun;
  }

  /** How many calls a service has begun. */
  total(service: string): number {
    let sum = 0;
    for (const [key, count] of this.#begun) if (key.startsWith(`${service} `)) sum += count;
    return sum;
  }

  /** When a replica began a call, in milliseconds since the world began. */
  timesOf(replica: string): readonly number[] {
    return this.#byReplica.get(replica) ?? [];
  }
}

/** What a stage needs to know. */
export interface StageOptions {
  readonly ledger: Ledger;
  readonly moods: Moods;
  /** The stage that it asks in its turn. */
  readonly next?: Hop;
  /** Milliseconds since the world began. */
  readonly now: () => number;
}

/** Handlers of one stage: they note the call, take their time, fail by their mood, and ask the next stage. */
export function stage({ ledger, moods, next, now }: StageOptions) {
  return ({ replica, clock, random, mesh }: Serving): ServiceImpl<Hop> => {
    const below = next && mesh.client(next);
    const work = async (method: "get" | "put" | "race" | "make", token: Token, signal: AbortSignal) => {
      ledger.begin(replica.service, method, token.id, replica.name, now());
      const { failRatio, code, ms } = moods.get(replica.name) ?? well;
      await clock.sleep(ms * (0.5 + random()), signal);
      if (random.chance(failRatio)) throw new ConnectError("by its mood", code);
      return below === undefined ? { id: token.id } : await below[method]({ id: token.id });
    };
    return {
      get: (token, { signal }: HandlerContext) => work("get", token, signal),
      put: (token, { signal }: HandlerContext) => work("put", token, signal),
      race: (token, { signal }: HandlerContext) => work("race", token, signal),
      make: (token, { signal }: HandlerContext) => work("make", token, signal),
      async *follow({ id, count }, { signal }: HandlerContext) {
        ledger.begin(replica.service, "follow", id, replica.name, now());
        for (let told = 1; told <= count; told++) {
          yield { id, count: told };
          await clock.sleep(100 * random(), signal);
        }
      },
    };
  };
}
