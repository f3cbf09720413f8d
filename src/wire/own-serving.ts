import type { Socket } from "node:net";
import type { Logger } from "../base/log.ts";
import type { Watchable } from "../base/watch.ts";
import { ConnectionError, errorName } from "../http2/errors.ts";
import type { Fault, Reset } from "../http2/events.ts";
import type { Limits } from "../http2/limits.ts";
import type { Stream } from "../http2/stream.ts";
import type { HttpHandler } from "./engine.ts";
import type { Fields } from "./fields.ts";
import { Exchange } from "./own-exchange.ts";
import { Pipe } from "./own-pipe.ts";

/** What a served connection needs. */
export interface ServingOptions {
  readonly handler: HttpHandler;
  readonly scheme: "http" | "https";
  /** Requests being answered, on all connections. */
  readonly inFlight: Watchable<number>;
  readonly limits?: Partial<Limits>;
  readonly writeStallMs?: number;
  readonly log?: Logger;
}

/** One HTTP/2 connection that is served. */
export class Serving extends Pipe {
  readonly #options: ServingOptions;
  readonly #heard = Promise.withResolvers<void>();
  #isPeerLeaving = false;

  constructor(socket: Socket, options: ServingOptions) {
    const { limits, writeStallMs } = options;
    super(socket, { role: "server", ...(limits && { limits }), ...(writeStallMs && { writeStallMs }) });
    this.#options = options;
  }

  /** First step of leaving: asks the peer to begin nothing more here; resolves when it has heard that, or is gone. */
  leave(): Promise<void> {
    this.http2.drain();
    this.http2.ping(leavePayload);
    return this.#heard.promise;
  }

  override pong(payload: Buffer): void {
    if (leavePayload.equals(payload)) this.#heard.resolve();
  }

  /** The peer begins nothing more: when what runs has ended, nothing is left to do. */
  override goAway(): void {
    this.#isPeerLeaving = true;
    if (this.http2.streamCount === 0) this.close();
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
    this.http2.goAway();
  }

  headers(stream: Stream, fields: Fields, endStream: boolean): void {
    const { handler, scheme, inFlight } = this.#options;
    const exchange = new Exchange(this.http2, stream, () => this.#ended());
    stream.owner = exchange;
    inFlight.set(inFlight.value + 1);
    if (endStream) exchange.ended();
    void exchange.answer(handler, fields, scheme);
  }

  data(stream: Stream, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    const exchange = stream.owner as Exchange;
    if (end > start) exchange.data(bytes.subarray(start, end));
    if (endStream) exchange.ended();
  }

  trailers(stream: Stream): void {
    (stream.owner as Exchange).ended();
  }

  writable(stream: Stream): void {
    (stream.owner as Exchange).writable();
  }

  closed(stream: Stream): void {
    (stream.owner as Exchange).closed();
  }

  reset(stream: Stream, reset: Reset): void {
    (stream.owner as Exchange | undefined)?.reset(reset); // a stream that was refused has none
  }

  protected gone(): void {
    this.#heard.resolve();
  }

  protected ticked(): void {}

  #ended(): void {
    const { inFlight } = this.#options;
    inFlight.set(inFlight.value - 1);
    if (this.#isPeerLeaving && this.http2.streamCount === 0) this.close();
  }

  #tell(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.log?.warn(message, { peer: this.socket.remoteAddress, ...fields });
  }
}

const leavePayload = Buffer.from("hdlleave", "latin1");
