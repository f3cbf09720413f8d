/** gRPC's keepalive (DESIGN §4): ping after 60 s of silence while calls are open, 10 s to answer. */
const silenceMs = 60_000;
const pongMs = 10_000;

/** A peer that has said nothing for so long is in doubt when somebody gives up waiting for it. */
const doubtMs = 1_000;

/** What is to be done about a peer's silence. */
export type SilenceVerdict = "fine" | "ask" | "lost";

/** What is known of a peer's life by when it was last heard of: told the time, never asking for it. */
export class Keepalive {
  #heardAt: number;
  #askedAt: number | undefined;

  constructor(now: number) {
    this.#heardAt = now;
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
    return now - this.#heardAt > silenceMs;
  }

  /** Whether it has been silent for so long that a call which is given up now may be given up for that. */
  isDoubtful(now: number): boolean {
    return now - this.#heardAt > doubtMs;
  }

  /** What to do while it owes an answer to a call. */
  verdict(now: number): SilenceVerdict {
    if (this.#askedAt !== undefined) return now - this.#askedAt > pongMs ? "lost" : "fine";
    return this.isSilent(now) ? "ask" : "fine";
  }

  /** The time it has to answer, for the error of one that did not. */
  static readonly pongMs = pongMs;
}
