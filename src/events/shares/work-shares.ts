import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import { type Followed, Watchable } from "../../base/watch.ts";
import { runDetached } from "../../call/context.ts";
import type { Store } from "../../store/orm.ts";
import { allSlots } from "../slots.ts";
import type { WorkLeases } from "./lease-entity.ts";
import { LeaseWatch } from "./lease-watch.ts";
import { release, shareRound } from "./share-round.ts";

/** A lease that is not renewed for so long is somebody else's to take. */
const termMs = 6_000;
/** How often leases are renewed, and looked at. */
const renewMs = 2_000;

/** What is shared out, and among whom. */
export interface WorkSharesOptions {
  readonly store: Store;
  readonly rows: WorkLeases;
  /** What the slots are slots of: "relay", or the source that is followed. At most 60 characters. */
  readonly work: string;
  readonly slots?: readonly number[];
  /** Who we are: new for each process, up to 36 characters (a UUID). */
  readonly holder: string;
  /** Resolves when nothing is done for these slots any more, which have just left `held`; until then nobody else gets them. */
  readonly letGo?: (slots: ReadonlySet<number>) => Promise<void>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** The slots that are this replica's to work on for the moment. */
export interface WorkShares extends AsyncDisposable {
  /** Replaced whole at each change. While a slot is in it, no other replica has it. */
  readonly held: Followed<ReadonlySet<number>>;
}

/**
 * Shares slots out among the replicas that have the same database: each gets as many as the others, within some seconds of
 * one coming or going. Closing gives them back at once.
 *
 * While the database is away, leases cannot be renewed: they are let go of when their term is over, since from then on somebody
 * else may have them. It is asked again and again, and what it gives is held again.
 */
export function openWorkShares(options: WorkSharesOptions): WorkShares {
  return new Shares(options);
}

type State =
  | { readonly name: "open"; timer: Timer | undefined; lapse: Timer | undefined }
  | { readonly name: "closed"; readonly done: Promise<void> };

class Shares implements WorkShares {
  readonly #options: Required<Omit<WorkSharesOptions, "letGo">> & Pick<WorkSharesOptions, "letGo">;
  readonly #held = new Watchable<ReadonlySet<number>>(new Set());
  readonly #watch: LeaseWatch;
  #state: State = { name: "open", timer: undefined, lapse: undefined };
  #round: Promise<void> = Promise.resolve();
  /** Slots that are being given back: ours until `letGo` has resolved, and not held any more. */
  readonly #surplus = new Set<number>();
  #untilAt = 0;
  #failing = false;

  constructor(options: WorkSharesOptions) {
    const { clock = systemClock, random = systemRandom, log = silentLogger, slots = allSlots } = options;
    this.#options = { ...options, clock, random, log, slots };
    this.#watch = new LeaseWatch(clock, termMs);
    runDetached(() => this.#start());
  }

  get held(): Followed<ReadonlySet<number>> {
    return this.#held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state.name === "open") {
      this.#state.timer?.cancel();
      this.#state.lapse?.cancel();
      this.#state = { name: "closed", done: this.#round.then(() => this.#leave()) };
    }
    await this.#state.done;
  }

  #start(): void {
    this.#round = this.#renew().then(() => {
      if (this.#state.name !== "open") return;
      const { clock, random } = this.#options;
      this.#state.timer = clock.setTimer(renewMs * (0.9 + 0.2 * random()), () => this.#start());
    });
  }

  /** One round. What it gives counts from before it began: nobody can have seen the rows sooner. */
  async #renew(): Promise<void> {
    const { store, clock, log, work } = this.#options;
    const startedAt = clock.now();
    const until = this.#nextUntil();
    try {
      const round = { ...this.#options, watch: this.#watch, until };
      const { held, surplus: all } = await store.unit((em) => shareRound(em, round));
      const surplus = all.filter((slot) => !this.#surplus.has(slot));
      if (this.#failing) log.info("shares of work are renewed again", { work });
      this.#failing = false;
      for (const slot of surplus) this.#surplus.add(slot);
      this.#hold(new Set(held.filter((slot) => !this.#surplus.has(slot))), startedAt + termMs);
      void this.#giveBack(surplus);
    } catch (error) {
      if (!this.#failing) log.warn("shares of work cannot be renewed: the database does not answer", { work, error });
      this.#failing = true;
    }
  }

  /** The date that is written is never the one that was written before, wherever the calendar jumps: a renewal has to show. */
  #nextUntil(): Date {
    const untilAt = this.#options.clock.wall() + termMs;
    this.#untilAt = untilAt === this.#untilAt ? untilAt + 1 : untilAt;
    return new Date(this.#untilAt);
  }

  #hold(slots: ReadonlySet<number>, lapsesAt: number): void {
    if (this.#state.name !== "open") return;
    this.#state.lapse?.cancel();
    const { clock, log, work } = this.#options;
    if (clock.now() >= lapsesAt) return this.#set(new Set());
    this.#set(slots);
    this.#state.lapse = clock.setTimer(lapsesAt - clock.now(), () => {
      if (slots.size > 0) log.warn("shares of work were not renewed in time, and are let go", { work });
      this.#set(new Set());
    });
  }

  #set(slots: ReadonlySet<number>): void {
    const { value } = this.#held;
    if (value.size === slots.size && [...slots].every((slot) => value.has(slot))) return;
    this.#held.set(slots);
  }

  /** Leases go on being renewed meanwhile: what is still being done may take a while. */
  async #giveBack(slots: readonly number[], leaving = false): Promise<void> {
    const { store, letGo, log, work } = this.#options;
    if (slots.length === 0) return;
    try {
      await letGo?.(new Set(slots));
      await store.unit((em) => release(em, this.#options, { slots, leaving }));
    } catch (error) {
      log.warn("shares of work could not be given back for the moment", { work, slots, error });
    }
    for (const slot of slots) this.#surplus.delete(slot);
  }

  async #leave(): Promise<void> {
    this.#set(new Set());
    await this.#giveBack(this.#options.slots, true);
  }
}
