import type { Socket } from "node:net";
import type { Watchable } from "../base/watch.ts";
import type { Reset } from "../http2/events.ts";
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
}

/** One HTTP/2 connection that is served. */
export class Serving extends Pipe {
  readonly #options: ServingOptions;

  constructor(socket: Socket, options: ServingOptions) {
    super(socket, { role: "server", ...(options.limits && { limits: options.limits }) });
    this.#options = options;
  }

  /** First step of leaving: asks the peer to begin nothing more here. */
  leave(): void {
    this.http2.drain();
  }

  /** Second step, once those on their way have arrived: what comes now is refused. */
  left(): void {
    this.http2.goAway();
  }

  headers(stream: Stream, fields: Fields, endStream: boolean): void {
    const { handler, scheme, inFlight } = this.#options;
    const exchange = new Exchange(this.http2, stream, () => inFlight.set(inFlight.value - 1));
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

  protected gone(): void {}
  protected ticked(): void {}
}
