import { connect } from "node:net";
import { systemClock } from "../base/clock.ts";
import type { Fields } from "../call/fields.ts";
import type { Reset } from "../http2/events.ts";
import type { Stream } from "../http2/stream.ts";
import { Pipe } from "../wire/own-pipe.ts";
import { Lap, type Load, type Measured } from "./load.ts";
import { type Asked, type AskName, asks } from "./sample.ts";
import { requestFields } from "./templates.ts";

/** Room for whatever a server has to say, so that it never waits for its caller. */
const windowBytes = 2 ** 30;

/** Loads a server over one connection with calls that are too large to be sent without heeding its windows. */
export class BulkCaller extends Pipe {
  readonly #asked: Asked;
  readonly #fields: Fields;
  #lap = new Lap(0);
  #left = 0;
  #done = Promise.withResolvers<void>();

  constructor(port: number, name: AskName) {
    super(connect({ host: "127.0.0.1", port, noDelay: true }), {
      role: "client",
      clock: systemClock,
      initialWindowBytes: windowBytes,
      limits: { streamWindowBytes: windowBytes, connectionWindowBytes: windowBytes },
    });
    this.#asked = asks[name]();
    this.#fields = requestFields(this.#asked.path, port);
  }

  /** Makes calls until the time is over, and waits for the last ones. */
  async run({ ms, inFlight }: Load): Promise<Measured> {
    this.#lap = new Lap(ms);
    this.#done = Promise.withResolvers();
    this.#left = inFlight;
    for (let i = 0; i < inFlight; i++) this.#call();
    await this.#done.promise;
    const measured = this.#lap.measured();
    const { answerBytes } = this.#asked;
    if (measured.bytesPerCall === answerBytes) return measured;
    throw new Error(`${measured.bytesPerCall} bytes came back for a call, not ${answerBytes}`);
  }

  #call(): void {
    const stream = this.http2.openStream(this.#fields, false);
    if (stream === undefined) return this.#done.reject(new Error("the server takes no more streams"));
    stream.owner = performance.now();
    this.http2.sendData(stream, this.#asked.frame, true);
  }

  headers(_stream: Stream, fields: Fields, endStream: boolean): void {
    if (endStream) this.#done.reject(new Error(`refused: ${fields.join(" ")}`));
  }

  data(stream: Stream, _bytes: Buffer, start: number, end: number): void {
    this.#lap.bytes += end - start;
    this.http2.consumed(stream, end - start);
  }

  trailers(stream: Stream, fields: Fields): void {
    const isOk = fields[fields.indexOf("grpc-status") + 1] === "0";
    if (!isOk) this.#done.reject(new Error(`failed: ${fields.join(" ")}`));
    if (this.#lap.ended(stream.owner as number)) this.#call();
    else if (--this.#left === 0) this.#done.resolve();
  }

  reset(_stream: Stream, { reason }: Reset): void {
    this.#done.reject(new Error(`reset: ${reason}`));
  }

  protected gone(): void {
    this.#done.reject(new Error("the connection is gone", { cause: this.problem }));
  }

  writable(): void {}
  closed(): void {}
  protected ticked(): void {}
}
