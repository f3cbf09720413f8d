import { Control } from "./control.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";
import type { ConnectionEvents, Reset } from "./events.ts";
import { ReceiveFlow } from "./flow.ts";
import { FrameReader } from "./frame.ts";
import { Guard } from "./guard.ts";
import { HeaderWriter } from "./header-writer.ts";
import { Inbound } from "./inbound.ts";
import { defaultLimits, type Limits, type Now } from "./limits.ts";
import { LocalSettings } from "./local-settings.ts";
import { Output } from "./output.ts";
import { Sender } from "./sender.ts";
import { protocolSettings, type Settings } from "./settings.ts";
import { Fate, Stream, StreamState } from "./stream.ts";
import { Streams } from "./streams.ts";

/** What a connection is made of. */
export interface ConnectionOptions {
  readonly role: "client" | "server";
  readonly events: ConnectionEvents;
  /** The time now, in milliseconds; from here on `receive` and `tick` tell it. */
  readonly nowMs: number;
  readonly limits?: Partial<Limits>;
  /** Body bytes a peer may send on a new stream before any is consumed; 256 KiB. */
  readonly initialWindowBytes?: number;
  /** Of the dynamic table that a peer may use; 4096. */
  readonly headerTableBytes?: number;
}

/** Streams a client opens before the server has said how many it takes (RFC 9113 §6.5.2 asks for no fewer than 100). */
const assumedStreams = 100;
/** The largest id there is (§5.1.1). */
export const maxId = 2 ** 31 - 1;

/**
 * The parts of a connection, put together, and what concerns several of them at once: where a stream begins and ends,
 * and what a change of settings changes. Only `Connection` has one.
 */
export class Core {
  readonly isClient: boolean;
  readonly events: ConnectionEvents;
  readonly limits: Limits;
  readonly now: Now;
  readonly output: Output;
  readonly headers: HeaderWriter;
  readonly sender: Sender;
  readonly flow: ReceiveFlow;
  readonly guard: Guard;
  readonly streams: Streams;
  readonly local = new LocalSettings();
  readonly inbound: Inbound;
  readonly control: Control;
  readonly reader: FrameReader;
  /** Whether we open no streams any more. */
  isLeaving = false;
  /** Nothing more is done. */
  isOver = false;
  /** Whether someone found no room for a stream, and is to be told when there is. */
  someoneWaits = false;
  /** When something last happened. */
  activeAt: number;

  constructor({ role, events, nowMs, limits, initialWindowBytes, headerTableBytes = 4_096 }: ConnectionOptions) {
    this.isClient = role === "client";
    this.events = events;
    this.limits = { ...defaultLimits, ...limits };
    this.now = { ms: nowMs };
    this.activeAt = nowMs;
    const windowBytes = Math.min(initialWindowBytes ?? 256 * 1024, this.limits.streamWindowBytes);
    this.output = new Output(() => events.output());
    this.headers = new HeaderWriter(this.output);
    this.guard = new Guard(this.limits, this.now);
    this.streams = new Streams(this.isClient, this.limits.closedStreams);
    this.flow = new ReceiveFlow(this.output, { limits: this.limits, initialWindowBytes: windowBytes });
    this.sender = this.#newSender();
    this.inbound = new Inbound(this);
    this.control = new Control(this);
    this.reader = new FrameReader(this.control);
    this.#begin(windowBytes, headerTableBytes);
  }

  /** Whether `openStream` would open one. */
  get canOpen(): boolean {
    if (this.isOver || this.isLeaving || !this.isClient || this.streams.highestOwn >= maxId - 2) return false;
    if (this.control.lastProcessed !== Number.POSITIVE_INFINITY) return false;
    const most = this.control.hasSettings ? this.control.settings.concurrentStreams : assumedStreams;
    return this.streams.ownCount < most;
  }

  /** A stream with the windows that hold now. */
  newStream(id: number): Stream {
    const { initialWindowBytes } = this.local.acknowledged;
    const send = this.control.settings.initialWindowBytes;
    return new Stream(id, { receive: initialWindowBytes, send });
  }

  /** If both sides have ended, as they should: the stream is over, and the peer has earned something. */
  settle(stream: Stream): void {
    if (stream.state !== StreamState.closed || !this.streams.remove(stream, Fate.ended)) return;
    this.activeAt = this.now.ms;
    if (!this.isClient) {
      this.guard.giveBack("streamsOpened", 1);
      this.guard.giveBack("resetsReceived", 1);
    }
    this.events.closed(stream);
    this.#offerRoom();
  }

  /** The stream is over before its time. */
  forget(stream: Stream, fate: Fate): void {
    stream.state = StreamState.closed;
    this.streams.remove(stream, fate);
    this.activeAt = this.now.ms;
    this.sender.drop(stream);
    this.flow.release(stream);
    this.#offerRoom();
  }

  /** Our side of the stream has ended. */
  sentEnd(stream: Stream): void {
    stream.endLocal();
    this.settle(stream);
  }

  /** The peer has acknowledged our oldest settings: from here on they hold (§6.5.3). */
  acknowledged(): void {
    const before = this.local.acknowledge();
    const now = this.local.acknowledged;
    this.reader.maxBytes = now.frameBytes;
    if (now.headerTableBytes !== before.headerTableBytes) this.inbound.blocks.allow(now.headerTableBytes);
    const delta = now.initialWindowBytes - before.initialWindowBytes;
    if (delta === 0) return;
    for (const stream of this.streams.live.values()) {
      stream.receiveWindow += delta;
      stream.receiveTarget += delta;
    }
  }

  /** The peer has told of itself; `delta` is by how much its streams' windows changed (§6.9.2). */
  peerSettings(settings: Settings, delta: number): void {
    this.headers.keepTo(settings);
    this.sender.frameBytes = settings.frameBytes;
    for (const stream of delta === 0 ? [] : this.streams.live.values()) {
      if (this.sender.widenStream(stream, delta)) continue;
      throw new ConnectionError(ErrorCode.flowControlError, "SETTINGS widen a window above 2^31-1");
    }
    this.#offerRoom();
  }

  /** Ends everything: each stream is told how. */
  end(reset: Reset): void {
    this.isOver = true;
    const streams = this.streams.live.values();
    for (const stream of streams) {
      stream.state = StreamState.closed;
      this.sender.drop(stream);
      this.streams.remove(stream, Fate.resetByUs);
    }
    for (const stream of streams) this.events.reset(stream, reset);
  }

  #begin(initialWindowBytes: number, headerTableBytes: number): void {
    if (this.isClient) this.output.preface();
    const { concurrentStreams, frameBytes, headerListBytes } = this.limits;
    const settings: { -readonly [K in keyof Settings]?: number } = { initialWindowBytes, headerListBytes };
    if (!this.isClient) settings.concurrentStreams = concurrentStreams;
    if (frameBytes !== protocolSettings.frameBytes) settings.frameBytes = frameBytes;
    if (headerTableBytes !== protocolSettings.headerTableBytes) settings.headerTableBytes = headerTableBytes;
    this.local.send(this.output, { settings, refusePush: this.isClient, nowMs: this.now.ms });
    this.flow.start();
  }

  #newSender(): Sender {
    const events = {
      drained: (stream: Stream) => this.events.writable(stream),
      sentEnd: (stream: Stream) => this.sentEnd(stream),
      sentData: (bytes: number) => this.guard.giveBack("windowUpdates", 2 + (bytes >>> 10)), // what is fair to ask for it
    };
    return new Sender({ output: this.output, headers: this.headers, now: this.now, events });
  }

  #offerRoom(): void {
    if (!this.someoneWaits || !this.canOpen) return;
    this.someoneWaits = false;
    this.events.roomForStreams();
  }
}
