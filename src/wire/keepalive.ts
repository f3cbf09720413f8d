/** How soon a peer is asked whether it lives, and how long it may take to say so. */
export interface KeepaliveTimes {
  /** Silence, while calls are open, in milliseconds. Default 60 s, as gRPC has it. */
  readonly keepaliveTimeMs?: number;
  /** Time for the answer, in milliseconds. Default 10 s. */
  readonly keepaliveTimeoutMs?: number;
}

/** A peer that has said nothing for so long is in doubt when somebody gives up waiting for it. */
const doubtMs = 1_000;

/** Verdicts are asked for about once a second; what is above that, this process stood still, and could not listen. */
const stillMs = 2_000;

/** What is to be done about a peer's silence. */
export type SilenceVerdict = "fine" | "ask" | "lost";

/** What is known of a peer's life by when it was last heard of: told the time, never asking for it. */
export class Keepalive {
  /** The time it has to answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly #timeMs: number;
  #heardAt: number;
  #askedAt: number | undefined;
  #judgedAt: number;

  constructor(now: number, { keepaliveTimeMs = 60_000, keepaliveTimeoutMs = 10_000 }: KeepaliveTimes = {}) {
    this.#timeMs = keepaliveTimeMs;
    this.timeoutMs = keepaliveTimeoutMs;
    this.#heardAt = this.#judgedAt = now;
  }

  /** The peer has sent something. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** It was sent a PING. */
  asked(now: number): void {
    this.#askedAt ??= now;
  }

  /** It has answered that. */
  answered(): void {
    this.#askedAt = undefined;
  }

  /** Whether it has not answered yet. */
  get isAsked(): boolean {
    return this.#askedAt !== undefined;
  }

  /** Whether it has been silent for so long that it should be asked before it is sent anything. */
  isSilent(now: number): boolean {
    return now - this.#heardAt > this.#timeMs;
  }

  /** Whether it has been silent for so long that a call which is given up now may be given up for that. */
  isDoubtful(now: number): boolean {
    return now - this.#heardAt > doubtMs;
  }

  /** What to do while it owes an answer to a call; to be asked about once a second. */
  verdict(now: number): SilenceVerdict {
    const sinceLastMs = now - this.#judgedAt;
    this.#judgedAt = now;
    if (this.#askedAt === undefined) return this.isSilent(now) ? "ask" : "fine";
    if (sinceLastMs > stillMs) this.#askedAt = Math.min(now, this.#askedAt + sinceLastMs);
    return now - this.#askedAt > this.timeoutMs ? "lost" : "fine";
  }
}
