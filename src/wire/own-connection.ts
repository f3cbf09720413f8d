import type { ConnectError } from "@connectrpc/connect";
import type { Timer } from "../base/clock.ts";
import { unavailable } from "../call/errors.ts";
import { withProgress } from "../call/progress.ts";
import { Keepalive } from "./keepalive.ts";
import { type CallingOptions, CallingPipe } from "./own-calling.ts";
import type { Worn } from "./wear.ts";

/** Whom a connection tells what becomes of it. */
export interface ConnectionOwner {
  /** It takes requests from now on. */
  opened(connection: OwnConnection): void;
  /** It takes requests again: a stream has ended, or a peer that was asked whether it lives has answered. */
  roomy(): void;
  /** It takes no more requests: its peer is leaving, or it is gone. May be told twice. */
  left(connection: OwnConnection): void;
  /** A request that it was given is over. */
  ended(): void;
  /** The time, about once a second while it is open. */
  ticked(connection: OwnConnection, now: number): void;
}

/** How a connection comes to be. */
export interface OwnConnectionOptions extends Omit<CallingOptions, "limits"> {
  /** When its time is over; what follows from that is its owner's. */
  readonly endsAt: number;
  readonly owner: ConnectionOwner;
}

/**
 * One HTTP/2 connection of a client. It counts as open when the peer's SETTINGS are there: a TCP connection alone proves
 * nobody, since the system opens it for a program that is about to close its port.
 */
export class OwnConnection extends CallingPipe {
  /** When it was begun. */
  readonly madeAt: number;
  readonly endsAt: number;
  readonly #address: string;
  readonly #owner: ConnectionOwner;
  readonly #keepalive: Keepalive;
  readonly #connectTimeoutMs: number;
  #state: "opening" | "open" | "leaving" | "closed" = "opening";
  /** Ends it: when it has not opened, or not answered, in time. */
  #patience: Timer;
  /** When it was last seen to be in use, and how many requests it had been given by then. */
  #usedAt: number;
  #seen = 0;

  constructor(options: OwnConnectionOptions) {
    const { address, clock, owner, endsAt, connectTimeoutMs = 2_000 } = options;
    super({ ...options, limits: { handshakeMs: connectTimeoutMs, idleMs: Number.POSITIVE_INFINITY } }); // its owner looks after that
    this.#address = address;
    this.#owner = owner;
    this.endsAt = endsAt;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.madeAt = this.#usedAt = clock.now();
    this.#keepalive = new Keepalive(this.madeAt, options);
    this.#patience = this.#destroyAfter(`nobody there spoke HTTP/2 within ${connectTimeoutMs} ms`);
  }

  /** Whether it has opened, takes requests, and was heard of not long ago: nothing has to be waited for. */
  get isReady(): boolean {
    return this.isOpen && !this.#keepalive.isSilent(this.clock.now());
  }

  /** Whether it has opened and takes requests, of a peer that may have died in silence. */
  get isOpen(): boolean {
    return this.#state === "open" && !this.http2.isOver;
  }

  /** Whether its peer was asked whether it lives, and has not answered. */
  get isAsked(): boolean {
    return this.#keepalive.isAsked;
  }

  /** When its time is over, and for how long it has carried nothing, give or take a second. */
  wear(now: number): Pick<Worn, "endsAt" | "idleMs"> {
    return { endsAt: this.endsAt, idleMs: now - this.#usedAt };
  }

  /** Asks the peer whether it still lives. One that does not answer in the time that a connection may take is given up. */
  ask(): void {
    if (this.isAsked) return;
    this.socket.ref();
    this.#ping();
    this.#patience = this.#destroyAfter(`no answer to a ping in ${this.#connectTimeoutMs} ms`);
  }

  /** Takes no more requests, and closes when what it carries has ended. */
  leave(): void {
    if (this.#state !== "open") return;
    this.#state = "leaving";
    this.#owner.left(this);
    this.closed();
  }

  /** What has not opened has nobody to be polite to; what has does not keep the process while it waits for the peer. */
  override close(problem?: Error): void {
    if (this.#state === "opening") return this.destroy(problem);
    super.close(problem);
    this.socket.unref();
  }

  /** What became of it; what was to go out on it has not been sent. */
  error(): ConnectError {
    if (this.#state !== "leaving") return withProgress(this.lost("it was closed"), "not-sent");
    const message = `${this.#address} takes no more requests: it is going away`;
    return withProgress(unavailable(message, { reason: "GOING_AWAY", domain: "heddle" }), "not-sent");
  }

  // ---- what the connection tells ----

  override settings(): void {
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#patience.cancel();
    this.#restful();
    this.#owner.opened(this);
  }

  override goAway(lastId: number): void {
    super.goAway(lastId);
    this.leave();
  }

  override pong(): void {
    this.#keepalive.answered();
    this.#patience.cancel();
    this.#restful();
    this.#owner.roomy();
  }

  override roomForStreams(): void {
    this.#owner.roomy();
  }

  closed(): void {
    if (this.http2.streamCount > 0) return;
    this.#restful();
    if (this.#state === "leaving") this.close();
  }

  protected override heard(now: number): void {
    this.#keepalive.heard(now);
  }

  /** One that ends while the peer is silent was given up, not answered: it may be that the peer is not there any more. */
  protected requestEnded(): void {
    if (this.isOpen && this.#keepalive.isDoubtful(this.clock.now())) this.ask();
    this.#owner.ended();
  }

  protected gone(): void {
    this.#patience.cancel();
    this.#owner.left(this);
    this.#state = "closed";
  }

  protected ticked(now: number): void {
    const isInUse = this.http2.streamCount > 0;
    if (isInUse || this.given !== this.#seen) this.#usedAt = now;
    this.#seen = this.given;
    const verdict = isInUse || this.isAsked ? this.#keepalive.verdict(now) : "fine";
    if (verdict === "lost") return this.destroy(new Error(`no answer to a ping in ${this.#keepalive.timeoutMs} ms`));
    if (verdict === "ask") this.#ping();
    if (this.isOpen) this.#owner.ticked(this, now);
  }

  // ---- within ----

  #ping(): void {
    this.#keepalive.asked(this.clock.now());
    this.http2.ping(pingPayload);
  }

  #destroyAfter(why: string): Timer {
    return this.clock.setTimer(this.#connectTimeoutMs, () => this.destroy(new Error(why)));
  }

  /** Nothing under way: it does not keep the process. */
  #restful(): void {
    if (this.http2.streamCount === 0 && !this.socket.connecting) this.socket.unref();
  }

  protected lost(why: string): ConnectError {
    const opening = this.#state === "opening";
    const what = opening ? `no connection to ${this.#address}` : `connection to ${this.#address} lost`;
    const message = `${what}: ${this.problem?.message ?? why}`;
    const reason = opening ? "CONNECT_FAILED" : "CONNECTION_LOST";
    return Object.assign(unavailable(message, { reason, domain: "heddle" }), { cause: this.problem });
  }
}

const pingPayload = Buffer.from("heddle..");
