import type { ConnectError } from "@connectrpc/connect";
import type { UniversalClientRequest } from "@connectrpc/connect/protocol";
import { unavailable } from "../call/errors.ts";
import { withProgress } from "../call/progress.ts";
import { Carried } from "./carried.ts";
import { ConnectBackoff } from "./connect-backoff.ts";
import type { SessionOptions } from "./engine.ts";
import type { Called } from "./grpc/called.ts";
import type { Encoded } from "./grpc/messages.ts";
import type { Attempt } from "./grpc/rpc.ts";
import type { OwnParts } from "./own.ts";
import type { Call } from "./own-call.ts";
import { type ConnectionOwner, OwnConnection } from "./own-connection.ts";
import { Line } from "./own-line.ts";
import { SessionStatus } from "./session-status.ts";
import { Wear } from "./wear.ts";

/** A connection that goes within this time, with nothing taken, might as well not have opened. */
const flashMs = 1_000;

/**
 * The connections of one session: as many as its peer's stream limit needs. Requests fill the first before they go to
 * the next, so that what was opened for a peak falls idle after it; those for which there is no room wait in one line.
 */
export class OwnConnections implements ConnectionOwner {
  readonly carried = new Carried(() => this.#closeAll());
  readonly status: SessionStatus;
  readonly #options: SessionOptions & OwnParts & { readonly address: string };
  readonly #wear: Wear;
  readonly #maxConnections: number;
  readonly #backoff: ConnectBackoff;
  readonly #line = new Line();
  /** Those that are not gone. */
  readonly #all = new Set<OwnConnection>();
  /** Those that take requests, in the order in which they are filled. */
  #open: readonly OwnConnection[] = [];
  #opening: OwnConnection | undefined;
  #isClosed = false;

  constructor(address: string, parts: OwnParts, options: SessionOptions) {
    const { maxConnections = 4, backoffMinMs: minMs = 100, backoffMaxMs: maxMs = 120_000 } = options;
    this.#options = { ...options, ...parts, address };
    this.#maxConnections = maxConnections;
    this.#wear = new Wear(options, parts.random);
    this.#backoff = new ConnectBackoff({ minMs, maxMs, random: parts.random });
    this.status = new SessionStatus(address, parts.clock, this.#backoff);
  }

  /** Sends an attempt at once, where nothing has to be waited for: most of them. */
  call(attempt: Attempt, encoded: Encoded | undefined): Called | undefined {
    if (!this.#line.isEmpty) return undefined;
    for (const connection of this.#open) {
      if (!connection.http2.canOpen || !connection.isReady) continue;
      const called = connection.call(attempt, encoded);
      if (called !== undefined) return called;
    }
    return undefined;
  }

  /** Sends it when there is room; rejects when it is canceled before, or when there is no connection to be had. */
  callInTurn(attempt: Attempt, encoded: Encoded | undefined): Promise<Called> {
    return this.#inTurn((connection) => connection.call(attempt, encoded), attempt.lifetime.signal);
  }

  /** The same for any request. */
  request(request: UniversalClientRequest): Promise<Call> {
    return this.#inTurn((connection) => connection.request(request), request.signal);
  }

  // ---- what connections tell ----

  opened(connection: OwnConnection): void {
    this.#opening = undefined;
    this.#open = [...this.#open, connection];
    this.#serve();
  }

  roomy(): void {
    this.#serve();
  }

  left(connection: OwnConnection): void {
    if (connection === this.#opening) {
      this.#opening = undefined;
      this.status.failed(connection.error());
      if (this.#open.length === 0) this.#line.close(() => connection.error());
    } else if (this.#open.includes(connection)) {
      this.#open = this.#open.filter((one) => one !== connection);
      this.#judge(connection);
    }
    this.#serve(() => connection.error());
  }

  ended(): void {
    this.carried.ended();
  }

  /** Lets go of what is idle, and replaces what is old: its successor opens first, unless nobody has use for one. */
  ticked(connection: OwnConnection, now: number): void {
    const hasOthers = this.#open.length > 1;
    const hasSuccessor = hasOthers && this.#open.some(({ endsAt }) => endsAt > now);
    const verdict = this.#wear.verdict({ ...connection.wear(now), hasOthers, hasSuccessor }, now);
    if (verdict === "leave") connection.leave();
    if (verdict === "replace" && this.#opening === undefined && this.status.mayTry) this.#begin();
  }

  // ---- within ----

  #inTurn<T>(send: (connection: OwnConnection) => T | undefined, signal?: AbortSignal): Promise<T> {
    const sent = this.#line.wait(() => this.#tryOnEach(send), signal);
    if (!this.#line.isEmpty) this.#grow(this.#refusal);
    return sent;
  }

  #tryOnEach<T>(send: (connection: OwnConnection) => T | undefined): T | undefined {
    for (const connection of this.#open) {
      if (!connection.isOpen) continue;
      if (!connection.isReady) {
        connection.ask();
        continue;
      }
      const sent = send(connection);
      if (sent !== undefined) return sent;
    }
    return undefined;
  }

  /** Lets those who wait have what there is, and sees to it that there is more for the others. */
  #serve(why = this.#refusal): void {
    this.#line.advance();
    if (!this.#line.isEmpty) this.#grow(why);
    this.#tell();
  }

  /** One more connection, if there may be one. Whoever waits for nothing is told why. */
  #grow(why: () => ConnectError): void {
    const open = this.#open.filter(({ isOpen }) => isOpen);
    const isComing = this.#opening !== undefined || open.some(({ isAsked }) => isAsked);
    if (isComing || open.length >= this.#maxConnections) return;
    if (!this.#isClosed && this.status.mayTry) this.#begin();
    else if (open.length === 0) this.#line.close(why);
  }

  #begin(): void {
    const { clock } = this.#options;
    const made = new OwnConnection({ ...this.#options, owner: this, endsAt: this.#wear.endsAt(clock.now()) });
    this.#opening = made;
    this.#all.add(made);
    made.socket.once("close", () => this.#all.delete(made));
    this.#tell();
  }

  readonly #refusal = (): ConnectError => (this.#isClosed ? closedError() : this.status.refusal());

  /** One that has opened and left: whether that speaks for its endpoint. */
  #judge(connection: OwnConnection): void {
    const isFlash = this.#options.clock.now() - connection.madeAt < flashMs;
    if (isFlash && !connection.isProven) this.status.failed(connection.error());
    else this.#backoff.succeeded();
  }

  #tell(): void {
    if (this.#isClosed) return;
    this.status.update({ open: this.#open.length, opening: this.#opening === undefined ? 0 : 1 });
  }

  #closeAll(): void {
    this.#isClosed = true;
    const closed = new Error("the session is closed");
    for (const connection of this.#all) connection.close(closed);
    this.#line.close(this.#refusal);
    this.status.end();
  }
}

function closedError(): ConnectError {
  return withProgress(unavailable("the session is closed", { reason: "SESSION_CLOSED", domain: "heddle" }), "not-sent");
}
