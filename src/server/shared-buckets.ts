import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { messageOf } from "../base/message-of.ts";
import { type Buckets, LocalBuckets } from "./policy/local-buckets.ts";
import type { Draw, RateLimit } from "./policy/token-bucket.ts";

/** What sharing buckets with other servers needs. */
export interface SharedBucketsOptions {
  /** Asks where they are shared. Rejects when nobody answers there. */
  readonly ask: (key: string, limit: RateLimit) => Promise<Draw>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Is told when buckets are shared and when not: at first they are. */
  readonly onChange?: (isShared: boolean) => void;
  /** How long a call waits for an answer, in milliseconds. Default 50. */
  readonly patienceMs?: number;
}

/** While nobody answers there, one call in so many milliseconds is held up by asking again. */
const askAgainMs = 1_000;

type State = { readonly name: "shared" } | { readonly name: "alone"; readonly askAgainAt: number };

/**
 * Buckets that several servers share, with buckets of its own for when they cannot be reached: then each server keeps the
 * limits by itself, so a caller may come to as many times its limit as there are servers, and nobody is turned away for
 * what he has not done.
 *
 * Its own go along all the time with what the shared ones say. So they go on from there when they are needed; and who is
 * known to have no token left is refused without asking: a flood of calls costs the shared place nothing.
 */
export class SharedBuckets implements Buckets {
  readonly #options: SharedBucketsOptions;
  readonly #own: LocalBuckets;
  #state: State = { name: "shared" };

  constructor(options: SharedBucketsOptions) {
    this.#options = options;
    this.#own = new LocalBuckets({ now: options.clock.now });
    options.onChange?.(true);
  }

  draw(key: string, limit: RateLimit): Draw | Promise<Draw> {
    const known = this.#own.look(key, limit);
    if (known.waitMs > 0) return known;
    const now = this.#options.clock.now();
    if (this.#state.name === "alone") {
      if (now < this.#state.askAgainAt) return this.#own.draw(key, limit);
      this.#state = { name: "alone", askAgainAt: now + askAgainMs };
    }
    return this.#ask(key, limit);
  }

  async #ask(key: string, limit: RateLimit): Promise<Draw> {
    try {
      const drawn = await this.#inTime(this.#options.ask(key, limit));
      this.#own.note(key, drawn.fullInMs);
      this.#isTogether();
      return drawn;
    } catch (reason) {
      this.#isAlone(reason);
      return this.#own.draw(key, limit);
    }
  }

  #inTime(answer: Promise<Draw>): Promise<Draw> {
    const { clock, patienceMs = 50 } = this.#options;
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`no answer within ${patienceMs} ms`));
      const timer = clock.setTimer(patienceMs, late);
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #isTogether(): void {
    if (this.#state.name === "shared") return;
    this.#state = { name: "shared" };
    this.#options.log.info("rate limits are shared again");
    this.#options.onChange?.(true);
  }

  #isAlone(reason: unknown): void {
    const { clock, log, onChange } = this.#options;
    if (this.#state.name === "alone") return;
    this.#state = { name: "alone", askAgainAt: clock.now() + askAgainMs };
    const problem = messageOf(reason);
    log.warn("rate limits are not shared for now: this server keeps them by itself", { problem });
    onChange?.(false);
  }
}
