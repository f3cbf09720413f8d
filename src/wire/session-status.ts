import type { ConnectError } from "@connectrpc/connect";
import type { Clock, Timer } from "../base/clock.ts";
import { Watchable } from "../base/watch.ts";
import { unavailable } from "../call/errors.ts";
import { withProgress } from "../call/progress.ts";
import type { ConnectBackoff } from "./connect-backoff.ts";
import type { SessionState } from "./engine.ts";

/** How many connections a session has, of each kind that counts. */
export interface ConnectionCounts {
  /** Open, and taking requests. */
  readonly open: number;
  /** On their way. */
  readonly opening: number;
}

/** What a session tells of itself to those who choose among sessions, and what it tells a request it cannot take. */
export class SessionStatus {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #backoff: ConnectBackoff;
  readonly #state = new Watchable<SessionState>("idle");
  #lastFailure = "the last try failed";
  #timer: Timer | undefined;

  constructor(address: string, clock: Clock, backoff: ConnectBackoff) {
    this.#address = address;
    this.#clock = clock;
    this.#backoff = backoff;
  }

  get state(): SessionState {
    return this.#state.value;
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: (state: SessionState) => void): () => void {
    return this.#state.subscribe(listener);
  }

  /** Whether a connection may be tried now. */
  get mayTry(): boolean {
    return this.#clock.now() >= this.#backoff.allowedAt;
  }

  /** A try has failed, just now, or came to nothing. */
  failed(error: ConnectError): void {
    this.#backoff.failed(this.#clock.now());
    this.#lastFailure = error.rawMessage;
  }

  /** Why none may be: what came of the last one, and when the next is due. */
  refusal(): ConnectError {
    const ms = Math.max(1, Math.ceil(this.#backoff.allowedAt - this.#clock.now()));
    const message = `${this.#lastFailure}; the next try is due in ${ms} ms`;
    const metadata = { address: this.#address, next_try_ms: String(ms) };
    return withProgress(unavailable(message, { reason: "CONNECT_BACKOFF", domain: "heddle", metadata }), "not-sent");
  }

  /** Tells what has become of the connections. */
  update({ open, opening }: ConnectionCounts): void {
    const waitMs = this.#backoff.preferredAt - this.#clock.now();
    const idle = waitMs > 0 ? "backoff" : "idle";
    const state = open > 0 ? "ready" : opening > 0 ? "connecting" : idle;
    if (state !== "backoff") this.#forget();
    else this.#timer ??= this.#clock.setTimer(waitMs, () => this.#waited());
    if (state !== this.#state.value) this.#state.set(state);
  }

  /** Tells nothing more: the session is closed. */
  end(): void {
    this.#forget();
    if (this.#state.value !== "idle") this.#state.set("idle");
  }

  #waited(): void {
    this.#timer = undefined;
    this.update({ open: 0, opening: 0 });
  }

  #forget(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
