import { connect } from "node:net";
import { Flag, FrameType, preface } from "../http2/frame.ts";
import { LeanWire } from "./lean-wire.ts";
import { Lap, type Load, type Measured } from "./load.ts";
import { type AskName, asks } from "./sample.ts";
import { callTemplate, type Template } from "./templates.ts";

/** So many calls may be under way. */
const mostInFlight = 1_024;

/** Loads a server over one connection with calls that are the same each time. */
export class LeanCaller extends LeanWire {
  readonly #answerBytes: number;
  readonly #template: Template;
  readonly #startedAt = new Float64Array(mostInFlight);
  #nextId = 1;
  #lap = new Lap(0);
  #left = 0;
  #done = Promise.withResolvers<void>();

  constructor(port: number, name: AskName) {
    const onread = {
      buffer: Buffer.allocUnsafe(64 * 1024),
      callback: (count: number, bytes: Uint8Array) => {
        this.receive(Buffer.from(bytes.buffer, bytes.byteOffset, count));
        return true;
      },
    };
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, onread });
    super(socket, preface);
    const asked = asks[name]();
    this.#answerBytes = asked.answerBytes;
    this.#template = callTemplate(asked, port);
    socket.on("error", (error) => this.#done.reject(error));
    socket.on("close", () => this.#done.reject(new Error("the server has closed the connection")));
  }

  /** Makes calls until the time is over, and waits for the last ones. */
  async run({ ms, inFlight }: Load): Promise<Measured> {
    if (this.#nextId === 1) await this.#begin({ ms: 0, inFlight: 1 }); // alone: it teaches the server the fields
    await this.#begin({ ms, inFlight });
    const measured = this.#lap.measured();
    if (measured.bytesPerCall === this.#answerBytes) return measured;
    throw new Error(`${measured.bytesPerCall} bytes came back for a call, not ${this.#answerBytes}`);
  }

  #begin({ ms, inFlight }: Load): Promise<void> {
    this.#lap = new Lap(ms);
    this.#done = Promise.withResolvers();
    this.#left = inFlight;
    for (let i = 0; i < inFlight; i++) this.#call();
    this.flush();
    return this.#done.promise;
  }

  #call(): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#startedAt[(id >>> 1) % mostInFlight] = performance.now();
    this.put(id === 1 ? this.#template.first : this.#template.next, id);
  }

  protected told(type: number, flags: number, id: number, bytes: number): void {
    if (type === FrameType.data) this.#lap.bytes += bytes;
    if (type === FrameType.rstStream || type === FrameType.goAway) this.#done.reject(new Error("a call was refused"));
    if (type > FrameType.headers || (flags & Flag.endStream) === 0) return;
    if (this.#lap.ended(this.#startedAt[(id >>> 1) % mostInFlight] ?? 0)) this.#call();
    else if (--this.#left === 0) this.#done.resolve();
  }
}
