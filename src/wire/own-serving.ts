import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import type { Logger } from "../base/log.ts";
import type { Watchable } from "../base/watch.ts";
import { type Fields, fieldOf } from "../call/fields.ts";
import { ConnectionError, errorName } from "../http2/errors.ts";
import type { Fault, Reset } from "../http2/events.ts";
import type { Limits } from "../http2/limits.ts";
import type { Stream } from "../http2/stream.ts";
import type { HttpHandler } from "./engine.ts";
import { GrpcExchange } from "./grpc/exchange.ts";
import type { Rpcs } from "./grpc/rpc.ts";
import { isGrpc } from "./grpc/status.ts";
import { Keepalive } from "./keepalive.ts";
import type { WireSocket } from "./network.ts";
import { Exchange } from "./own-exchange.ts";
import { Pipe } from "./own-pipe.ts";
import type { ServedStream } from "./served-stream.ts";

/** What a served connection needs. */
export interface ServingOptions {
  readonly handler: HttpHandler;
  readonly clock: Clock;
  /** What is answered directly where it is called over gRPC, and what that takes. */
  readonly calls?: { readonly rpcs: Rpcs; readonly deadlines: Deadlines; readonly clock: Clock };
  readonly scheme: "http" | "https";
  /** Requests being answered, on all connections. */
  readonly inFlight: Watchable<number>;
  readonly limits?: Partial<Limits>;
  readonly writeStallMs?: number;
  /**
   * When its peer is asked to go over to another connection (gRFC A9,
   * https://github.com/grpc/proposal/blob/master/A9-server-side-conn-mgt.md). By default never.
   */
  readonly endsAt?: number;
  /** How long it then has for what is under way, in milliseconds. Default 30 s. */
  readonly ageGraceMs?: number;
  readonly log?: Logger;
}

/** One HTTP/2 connection that is served. */
export class Serving extends Pipe {
  readonly #options: ServingOptions;
  readonly #keepalive: Keepalive;
  readonly #heard = Promise.withResolvers<void>();
  /** How far it has got on its leave: the peer was asked to begin nothing more, or what it begins is refused. */
  #departure: "no" | "asked" | "told" = "no";
  /** The address of the peer; asked for once, for a socket that has gone cannot tell it. */
  #peer: string | undefined;
  /** Whether nothing more is to come. */
  #closesWhenDone = false;

  constructor(socket: WireSocket, options: ServingOptions) {
    const { clock, limits, writeStallMs } = options;
    super(socket, { role: "server", clock, ...(limits && { limits }), ...(writeStallMs && { writeStallMs }) });
    this.#options = options;
    this.#keepalive = new Keepalive(clock.now());
  }

  /** First step of leaving: asks the peer to begin nothing more here; resolves when it has heard that, or is gone. */
  leave(): Promise<void> {
    if (this.#departure === "no") {
      this.#departure = "asked";
      this.http2.drain();
      this.http2.ping(leavePayload);
    }
    return this.#heard.promise;
  }

  override pong(payload: Buffer): void {
    if (leavePayload.equals(payload)) this.#heard.resolve();
  }

  /** The peer begins nothing more: when what runs has ended, nothing is left to do. */
  override goAway(): void {
    this.#closesWhenDone = true;
    this.#closeIfDone();
  }

  override fault(fault: Fault): void {
    super.fault(fault);
    const { streamId, code, reason, limit } = fault;
    this.#tell("a stream was ended for its peer's fault", { streamId, code: errorName(code), reason, limit });
  }

  override failed(error: Error): void {
    const limit = error instanceof ConnectionError ? error.limit : undefined;
    if (limit !== "idleMs") this.#tell("a connection was ended for its peer's fault", { reason: error.message, limit });
    super.failed(error);
  }

  /** Second step, once those on their way have arrived: what comes now is refused. */
  left(): void {
    if (this.#departure !== "told") this.http2.goAway();
    this.#departure = "told";
  }

  headers(stream: Stream, fields: Fields, endStream: boolean): void {
    const { inFlight } = this.#options;
    inFlight.set(inFlight.value + 1);
    const owner = this.#ownerOf(stream, fields);
    stream.owner = owner;
    owner.begin(fields);
    if (endStream) owner.ended();
  }

  data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const served = stream.owner as ServedStream;
    if (end > start) served.data(bytes, start, end);
    if (endStream) served.ended();
  }

  trailers(stream: Stream): void {
    (stream.owner as ServedStream).ended();
  }

  writable(stream: Stream): void {
    (stream.owner as ServedStream).writable();
  }

  closed(stream: Stream): void {
    (stream.owner as ServedStream).closed();
  }

  reset(stream: Stream, reset: Reset): void {
    (stream.owner as ServedStream | undefined)?.reset(reset); // a stream that was refused has none
  }

  protected gone(): void {
    this.#heard.resolve();
  }

  protected override heard(now: number): void {
    this.#keepalive.heard(now);
    this.#keepalive.answered(); // whatever it says, it says it lives
  }

  protected ticked(now: number): void {
    if (this.http2.streamCount > 0 && !this.#lives(now)) return;
    const { endsAt = Number.POSITIVE_INFINITY, ageGraceMs = 30_000 } = this.#options;
    if (now >= endsAt) this.#age();
    if (now >= endsAt + ageGraceMs)
      this.close(new Error(`what it carried took longer than ageGraceMs, ${ageGraceMs} ms`));
  }

  /** Whether the peer may still be there. One that died without a word would hold what it asked for, watches above all. */
  #lives(now: number): boolean {
    const verdict = this.#keepalive.verdict(now);
    if (verdict === "lost") this.destroy(new Error(`no answer to a ping in ${this.#keepalive.timeoutMs} ms`));
    if (verdict === "ask") {
      this.#keepalive.asked(now);
      this.http2.ping(livePayload);
    }
    return verdict !== "lost";
  }

  /** Who answers: a gRPC call with binary messages is answered directly, everything else by the handler. */
  #ownerOf(stream: Stream, fields: Fields): ServedStream {
    const { handler, scheme, calls } = this.#options;
    const rpc = calls?.rpcs.get(fieldOf(fields, ":path") ?? "");
    const { http2 } = this;
    this.#peer ??= this.socket.remoteAddress;
    const peer = this.#peer;
    if (calls === undefined || rpc === undefined || fieldOf(fields, ":method") !== "POST" || !isGrpc(fields)) {
      return new Exchange({ http2, stream, peer, onOver: this.#ended }, handler, scheme);
    }
    const { deadlines, clock } = calls;
    return new GrpcExchange({ http2, stream, peer, deadlines, clock, onOver: this.#ended }, rpc, fields);
  }

  readonly #ended = (): void => {
    const { inFlight } = this.#options;
    inFlight.set(inFlight.value - 1);
    this.#closeIfDone();
  };

  #closeIfDone(): void {
    if (this.#closesWhenDone && this.http2.streamCount === 0) this.close();
  }

  /** Its time is over. Peers that have not heard so in a second are told all the same. */
  #age(): void {
    if (this.#departure === "no") return void this.leave().then(() => this.#aged());
    this.#aged();
  }

  #aged(): void {
    this.left();
    this.#closesWhenDone = true;
    this.#closeIfDone();
  }

  #tell(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.log?.warn(message, { peer: this.socket.remoteAddress, ...fields });
  }
}

const livePayload = Buffer.from("hdl.live", "latin1");
const leavePayload = Buffer.from("hdlleave", "latin1");
