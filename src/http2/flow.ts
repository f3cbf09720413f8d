import { ConnectionError, ErrorCode } from "./errors.ts";
import type { Limits } from "./limits.ts";
import type { Output } from "./output.ts";
import type { Stream } from "./stream.ts";

/** The payload of the PING that measures: what arrives before its answer came in one round trip. */
export const probePayload = Buffer.from("hdl-flow", "latin1");

const maxProbeEvery = 256 * 1024 * 1024;

/**
 * Flow control of what arrives (RFC 9113 §5.2, §6.9): how much the peer may send before the application has consumed
 * it. Updates go out when half a window has been consumed, so many small reads cost one frame. Windows grow to twice
 * what arrives within one round trip, as long as that is more than they allow: a fast link with a long way fills, a
 * slow reader holds little.
 */
export class ReceiveFlow {
  readonly #output: Output;
  readonly #limits: Limits;
  #window = 65_535;
  #target: number;
  #held = 0;
  #streamTarget: number;
  #sinceProbe = 0;
  #isProbing = false;
  /** Bytes from one probe to the next: doubles while there is nothing to learn. */
  #probeEvery: number;

  constructor(output: Output, options: { readonly limits: Limits; readonly initialWindowBytes: number }) {
    this.#output = output;
    this.#limits = options.limits;
    this.#streamTarget = options.initialWindowBytes;
    this.#probeEvery = this.#streamTarget >>> 1;
    this.#target = Math.max(65_535, Math.min(options.initialWindowBytes * 4, options.limits.connectionWindowBytes));
  }

  /** What a stream's window is to grow to at its next update. */
  get streamTarget(): number {
    return this.#streamTarget;
  }

  /** Raises the connection's window from the protocol's to ours; SETTINGS cannot (§6.9.2). */
  start(): void {
    this.#update();
  }

  /** Counts `bytes` of a DATA frame, padding and all, against the connection's window. */
  receive(bytes: number): void {
    this.#window -= bytes;
    this.#held += bytes;
    if (this.#window < 0) throw new ConnectionError(ErrorCode.flowControlError, "connection window overrun");
    this.#sinceProbe += bytes;
    const mayGrow = this.#streamTarget < this.#limits.streamWindowBytes;
    if (this.#isProbing || !mayGrow || this.#sinceProbe < this.#probeEvery) return;
    this.#isProbing = true;
    this.#sinceProbe = bytes;
    this.#output.ping(probePayload, 0, 0);
  }

  /** Counts the same against the stream's window; false if that is overrun. */
  receiveOn(stream: Stream, bytes: number): boolean {
    stream.receiveWindow -= bytes;
    stream.held += bytes;
    return stream.receiveWindow >= 0;
  }

  /** The answer to the probe is here. */
  probed(): void {
    if (!this.#isProbing) return;
    this.#isProbing = false;
    const { streamWindowBytes, connectionWindowBytes } = this.#limits;
    if (this.#sinceProbe * 3 >= this.#streamTarget * 2) {
      this.#streamTarget = Math.min(this.#sinceProbe * 2, streamWindowBytes);
      this.#target = Math.max(this.#target, Math.min(this.#streamTarget * 2, connectionWindowBytes));
      this.#probeEvery = this.#streamTarget >>> 1;
    } else this.#probeEvery = Math.min(this.#probeEvery * 2, maxProbeEvery);
    this.#sinceProbe = 0;
  }

  /** `bytes` of a stream have been consumed: lets the peer send as much again, once it is worth a frame. */
  consume(stream: Stream, bytes: number): void {
    const count = Math.min(bytes, stream.held);
    if (count <= 0) return;
    stream.held -= count;
    this.consumeUnheld(count);
    if (!stream.isRemoteOpen) return;
    const target = Math.max(stream.receiveTarget, this.#streamTarget);
    const increment = target - stream.receiveWindow - stream.held;
    if (increment < target >>> 1) return;
    stream.receiveTarget = target;
    stream.receiveWindow += increment;
    this.#output.windowUpdate(stream.id, increment);
  }

  /** `bytes` that no application will ever see: padding, and those of streams that are gone. */
  consumeUnheld(bytes: number): void {
    this.#held -= bytes;
    if (this.#target - this.#window - this.#held >= this.#target >>> 1) this.#update();
  }

  /** The stream is gone, and with it what nobody consumed. */
  release(stream: Stream): void {
    if (stream.held > 0) this.consumeUnheld(stream.held);
    stream.held = 0;
  }

  #update(): void {
    const increment = this.#target - this.#window - this.#held;
    if (increment <= 0) return;
    this.#window += increment;
    this.#output.windowUpdate(0, increment);
  }
}
