import { ConnectionError, ErrorCode } from "./errors.ts";
import type { ConnectionEvents } from "./events.ts";
import { probePayload, type ReceiveFlow } from "./flow.ts";
import { Flag, type FrameSink, FrameType, uint32 } from "./frame.ts";
import type { Guard } from "./guard.ts";
import type { Inbound } from "./inbound.ts";
import type { Limits } from "./limits.ts";
import type { Output } from "./output.ts";
import type { Sender } from "./sender.ts";
import { applySettings, protocolSettings, type Settings } from "./settings.ts";
import { Fate, type Stream } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** What the reading of frames works with. */
export interface ControlOptions {
  readonly isClient: boolean;
  /** Whether the connection was closed, maybe in the middle of what it is reading. */
  readonly isOver: boolean;
  readonly events: ConnectionEvents;
  readonly limits: Limits;
  readonly guard: Guard;
  readonly streams: Streams;
  readonly flow: ReceiveFlow;
  readonly output: Output;
  readonly sender: Sender;
  readonly inbound: Inbound;
  /** The peer has acknowledged our oldest settings. */
  acknowledged(): void;
  /** The peer has told of itself; `delta` is by how much streams may send more. */
  peerSettings(settings: Settings, delta: number): void;
  forget(stream: Stream, fate: Fate): void;
}

const protocolError = (reason: string) => new ConnectionError(ErrorCode.protocolError, reason);

/** Every frame that arrives, led to where it belongs; those that steer rather than carry are done here (RFC 9113 §6). */
export class Control implements FrameSink {
  /** What the peer has told of itself, and whether it has. */
  settings: Settings = protocolSettings;
  hasSettings = false;
  /** Streams of ours above this one the peer will not do. */
  lastProcessed = Number.POSITIVE_INFINITY;
  readonly #options: ControlOptions;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const { inbound, isOver } = this.#options;
    if (isOver) return;
    const { openId } = inbound.blocks;
    if (openId !== 0 && (type !== FrameType.continuation || id !== openId)) {
      throw protocolError(`frame ${type} inside a header block`);
    }
    if (!this.hasSettings && (type !== FrameType.settings || flags & Flag.ack)) {
      throw protocolError("the first frame is not SETTINGS");
    }
    switch (type) {
      case FrameType.data:
        return inbound.data(flags, id, bytes, start, end);
      case FrameType.headers:
        return inbound.headers(flags, id, bytes, start, end);
      case FrameType.priority:
        return this.#priority(id, bytes, start, end);
      case FrameType.rstStream:
        return this.#rstStream(id, bytes, start, end);
      case FrameType.settings:
        return this.#settings(flags, id, bytes, start, end);
      case FrameType.pushPromise:
        throw protocolError("PUSH_PROMISE"); // as client we have refused it, and clients send none (§8.4)
      case FrameType.ping:
        return this.#ping(flags, id, bytes, start, end);
      case FrameType.goAway:
        return this.#goAway(id, bytes, start, end);
      case FrameType.windowUpdate:
        return this.#windowUpdate(id, bytes, start, end);
      case FrameType.continuation:
        return inbound.continuation(flags, bytes, start, end);
    } // what nobody has defined is passed over (§5.5)
  }

  /** PRIORITY (§6.3): checked, and passed over. */
  #priority(id: number, bytes: Buffer, start: number, end: number): void {
    const { streams, inbound } = this.#options;
    if (id === 0) throw protocolError("PRIORITY on stream 0");
    if (end - start !== 5) {
      const stream = streams.live.get(id);
      if (stream === undefined) throw new ConnectionError(ErrorCode.frameSizeError, "PRIORITY");
      return inbound.fail(stream, ErrorCode.frameSizeError, "PRIORITY");
    }
    if ((uint32(bytes, start) & 0x7fffffff) === id) throw protocolError("a stream that depends on itself");
  }

  /** RST_STREAM (§6.4). Those on streams of the peer's own making are what rapid reset is made of. */
  #rstStream(id: number, bytes: Buffer, start: number, end: number): void {
    const { streams, guard, events } = this.#options;
    if (id === 0) throw protocolError("RST_STREAM on stream 0");
    this.#expect(4, end - start, "RST_STREAM");
    if (streams.isIdle(id)) throw protocolError("RST_STREAM on an idle stream");
    const stream = streams.live.get(id);
    if (stream === undefined || !streams.isOwn(id)) guard.charge("resetsReceived");
    if (stream === undefined) return;
    const code = uint32(bytes, start) >>> 0;
    this.#options.forget(stream, Fate.resetByPeer);
    const isUnprocessed = code === ErrorCode.refusedStream;
    events.reset(stream, { code, by: "peer", reason: "reset by the peer", isUnprocessed });
  }

  /** SETTINGS (§6.5). */
  #settings(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const { guard, output, events, isClient } = this.#options;
    if (id !== 0) throw protocolError("SETTINGS on a stream");
    if (flags & Flag.ack) {
      this.#expect(0, end - start, "acknowledgement of SETTINGS");
      return this.#options.acknowledged();
    }
    this.#expect(0, (end - start) % 6, "SETTINGS");
    guard.charge("settings");
    const before = this.settings;
    this.settings = applySettings(before, { bytes, start, end, fromServer: isClient });
    this.hasSettings = true;
    this.#options.peerSettings(this.settings, this.settings.initialWindowBytes - before.initialWindowBytes);
    output.settingsAck();
    this.#checkOutput();
    events.settings(this.settings);
  }

  /** PING (§6.7): answered, or an answer. */
  #ping(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    const { guard, output, flow, events } = this.#options;
    if (id !== 0) throw protocolError("PING on a stream");
    this.#expect(8, end - start, "PING");
    if (flags & Flag.ack) {
      if (probePayload.compare(bytes, start, end) === 0) return flow.probed();
      return events.pong(bytes.subarray(start, end));
    }
    guard.charge("pings");
    output.ping(bytes, start, Flag.ack);
    this.#checkOutput();
  }

  /** GOAWAY (§6.8): what is above its last stream was not processed and may be sent again elsewhere. */
  #goAway(id: number, bytes: Buffer, start: number, end: number): void {
    const { guard, streams, events } = this.#options;
    if (id !== 0) throw protocolError("GOAWAY on a stream");
    if (end - start < 8) throw new ConnectionError(ErrorCode.frameSizeError, "GOAWAY");
    guard.charge("settings");
    const code = uint32(bytes, start + 4) >>> 0;
    this.lastProcessed = Math.min(this.lastProcessed, uint32(bytes, start) & 0x7fffffff);
    events.goAway(this.lastProcessed, code, bytes.toString("latin1", start + 8, Math.min(end, start + 208)));
    for (const stream of streams.live.values()) {
      if (!streams.isOwn(stream.id) || stream.id <= this.lastProcessed) continue;
      this.#options.forget(stream, Fate.resetByUs); // what it sent before may still be on its way
      events.reset(stream, { code, by: "peer", reason: "not processed before GOAWAY", isUnprocessed: true });
    }
  }

  /** WINDOW_UPDATE (§6.9). */
  #windowUpdate(id: number, bytes: Buffer, start: number, end: number): void {
    const { guard, streams, sender, inbound } = this.#options;
    this.#expect(4, end - start, "WINDOW_UPDATE");
    guard.charge("windowUpdates");
    const increment = uint32(bytes, start) & 0x7fffffff;
    if (id === 0) {
      if (increment === 0) throw protocolError("WINDOW_UPDATE by 0");
      if (!sender.widen(increment)) throw new ConnectionError(ErrorCode.flowControlError, "window above 2^31-1");
      return;
    }
    const stream = streams.live.get(id);
    if (stream === undefined) {
      if (streams.isIdle(id)) throw protocolError("WINDOW_UPDATE on an idle stream");
      return;
    }
    if (increment === 0) return inbound.fail(stream, ErrorCode.protocolError, "WINDOW_UPDATE by 0");
    if (!sender.widenStream(stream, increment)) {
      inbound.fail(stream, ErrorCode.flowControlError, "window above 2^31-1");
    }
  }

  #expect(bytes: number, length: number, what: string): void {
    if (length !== bytes) throw new ConnectionError(ErrorCode.frameSizeError, what);
  }

  /** A peer that asks and never reads the answers must not fill our memory with them. */
  #checkOutput(): void {
    const { output, limits } = this.#options;
    if (output.length <= limits.outputBytes) return;
    throw new ConnectionError(ErrorCode.enhanceYourCalm, "answers are not read: outputBytes", "outputBytes");
  }
}
