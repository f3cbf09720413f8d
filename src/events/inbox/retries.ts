import { runDetached } from "../../call/context.ts";
import { Nap } from "../nap.ts";
import type { InboxParts } from "./inbox-parts.ts";
import { countParked, none } from "./parked.ts";
import { type ParkedHead, parkedHeads, putOff } from "./parked-heads.ts";
import { tryParked } from "./try-parked.ts";

/** How often to look for what another replica has parked, or left behind when it died. */
const pollMs = 500;
/** For how long a try is one replica's alone; who dies in the middle of it leaves it to the others then. */
const claimMs = 5_000;
/** How often to count what is parked, as other replicas park and try, too. */
const countMs = 5_000;

/**
 * Tries parked events again when their time has come: of each subject the first one, the next when that is handled or
 * dead. All that is known of them is in the database, so a restart changes nothing, and replicas do not try at once what one of
 * them tries.
 */
export class Retries implements AsyncDisposable {
  readonly #parts: InboxParts;
  readonly #nap: Nap;
  readonly #done: Promise<void>;
  #closed = false;
  #countAt = 0;

  constructor(parts: InboxParts) {
    this.#parts = parts;
    this.#nap = new Nap(parts.clock);
    this.#done = runDetached(() => this.#run());
  }

  /** Says that an event was parked. */
  readonly wake = (): void => {
    this.#countAt = 0;
    this.#nap.wake();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#nap.wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const waitMs = await this.#pass().catch((error: unknown) => {
        this.#parts.log.warn("parked events cannot be tried for the moment", { error });
        return pollMs;
      });
      if (!this.#closed) await this.#nap.sleep(waitMs);
    }
  }

  /** Tries all that are due; resolves with how long the next one has to wait. */
  async #pass(): Promise<number> {
    for (;;) {
      const { store, rows, clock } = this.#parts;
      const heads = await store.read((em) => parkedHeads(em, rows.parked));
      const now = clock.wall();
      const due = heads.filter((head) => this.#isDue(head, now));
      if (due.length === 0) await this.#count();
      if (due.length === 0 || this.#closed) return Math.min(pollMs, ...heads.map(({ nextAt }) => nextAt - now));
      for (const head of due) await this.#try(head);
    }
  }

  async #try(head: ParkedHead): Promise<void> {
    const { store, rows, clock } = this.#parts;
    if (this.#closed) return;
    this.#countAt = 0;
    const until = clock.wall() + claimMs;
    if (await store.unit((em) => putOff(em, rows.parked, head, until))) await tryParked(this.#parts, head.seq);
  }

  /** Tells how much is parked. */
  async #count(): Promise<void> {
    const { store, rows, known, hooks, clock } = this.#parts;
    if (hooks.parked === undefined || clock.now() < this.#countAt) return;
    const counts = await store.read((em) => countParked(em, rows.parked));
    for (const source of known.sources) hooks.parked({ source, ...(counts.get(source) ?? none) });
    this.#countAt = clock.now() + countMs;
  }

  /** What is to wait longer than anything does was parked before somebody set the clock back. */
  #isDue({ nextAt }: ParkedHead, now: number): boolean {
    const longestMs = Math.max(claimMs, this.#parts.limits.maxMs);
    return nextAt <= now || nextAt > now + longestMs;
  }
}
