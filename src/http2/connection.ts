import { Control } from "./control.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";
import type { ConnectionEvents, Reset } from "./events.ts";
import { ReceiveFlow } from "./flow.ts";
import { FrameReader, preface } from "./frame.ts";
import { Guard } from "./guard.ts";
import { HeaderWriter } from "./header-writer.ts";
import type { Fields } from "./hpack-decoder.ts";
import { Inbound } from "./inbound.ts";
import { defaultLimits, type LimitName, type Limits, type Now } from "./limits.ts";
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
const maxId = 2 ** 31 - 1;

/**
 * One HTTP/2 connection, of either role, without a socket: bytes in and events out, commands in and bytes out
 * (RFC 9113). A command on a stream that is over does nothing, since the peer may have ended it a moment ago.
 */
export class Connection {
  readonly #isClient: boolean;
  readonly #events: ConnectionEvents;
  readonly #limits: Limits;
  readonly #now: Now;
  readonly #output: Output;
  readonly #headers: HeaderWriter;
  readonly #sender: Sender;
  readonly #flow: ReceiveFlow;
  readonly #guard: Guard;
  readonly #streams: Streams;
  readonly #local = new LocalSettings();
  readonly #inbound: Inbound;
  readonly #control: Control;
  readonly #reader: FrameReader;
  #prefaceLeft: number;
  #isOver = false;
  #isLeaving = false;
  #someoneWaits = false;
  readonly #startedAt: number;
  #activeAt: number;
  #partialSince: number | undefined;

  constructor({ role, events, nowMs, limits, initialWindowBytes, headerTableBytes = 4_096 }: ConnectionOptions) {
    this.#isClient = role === "client";
    this.#events = events;
    this.#limits = { ...defaultLimits, ...limits };
    this.#now = { ms: nowMs };
    this.#startedAt = this.#activeAt = nowMs;
    this.#prefaceLeft = this.#isClient ? 0 : preface.length;
    const windowBytes = Math.min(initialWindowBytes ?? 256 * 1024, this.#limits.streamWindowBytes);
    this.#output = new Output(() => events.output());
    this.#headers = new HeaderWriter(this.#output);
    this.#guard = new Guard(this.#limits, this.#now);
    this.#streams = new Streams(this.#isClient, this.#limits.closedStreams);
    this.#flow = new ReceiveFlow(this.#output, { limits: this.#limits, initialWindowBytes: windowBytes });
    this.#sender = this.#newSender();
    this.#inbound = this.#newInbound();
    this.#control = this.#newControl();
    this.#reader = new FrameReader(this.#control);
    this.#begin(windowBytes, headerTableBytes);
  }

  /** Whether the connection has failed or was closed: it takes and gives nothing any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Streams that are not over. */
  get streamCount(): number {
    return this.#streams.live.size;
  }

  /** What the peer has told of itself. */
  get peerSettings(): Settings {
    return this.#control.settings;
  }

  /** Whether `openStream` would open one. */
  get canOpen(): boolean {
    if (this.#isOver || this.#isLeaving || !this.#isClient || this.#streams.highestOwn >= maxId - 2) return false;
    if (this.#control.lastProcessed !== Number.POSITIVE_INFINITY) return false;
    const most = this.#control.hasSettings ? this.#control.settings.concurrentStreams : assumedStreams;
    return this.#streams.ownCount < most;
  }

  // ---- bytes and time in ----

  /** Reads what the peer has sent, as it comes, and tells of it. */
  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.#isOver) return;
    this.#now.ms = this.#activeAt = Math.max(nowMs, this.#now.ms);
    try {
      this.#read(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    } catch (error) {
      if (error instanceof ConnectionError) return this.#fail(error);
      this.#fail(new ConnectionError(ErrorCode.internalError, "a handler threw")); // what was read is lost with it
      throw error;
    }
    const isPartial = this.#reader.isPartial || this.#inbound.blocks.openId !== 0 || this.#prefaceLeft > 0;
    this.#partialSince = isPartial ? (this.#partialSince ?? nowMs) : undefined;
  }

  /** Tells the time where nothing arrives: now and then, a second is often enough. */
  tick(nowMs: number): void {
    if (this.#isOver) return;
    this.#now.ms = Math.max(nowMs, this.#now.ms);
    const late = this.#lateness(nowMs);
    if (late !== undefined) return this.#fail(late);
    if (this.#sender.queuedBytes > 0) this.#endStalled(nowMs);
  }

  // ---- commands ----

  /** Opens a stream with a request of `fields` and then `more`; `undefined` if there is no room for one. */
  openStream(fields: Fields, endStream: boolean, more?: Fields): Stream | undefined {
    if (!this.canOpen) {
      this.#someoneWaits = true;
      return undefined;
    }
    const id = this.#streams.highestOwn === 0 ? 1 : this.#streams.highestOwn + 2;
    this.#headers.write(id, endStream, fields, more);
    const stream = this.#newStream(id);
    stream.isHead = fields[1] === "HEAD" && fields[0] === ":method";
    this.#streams.add(stream);
    if (endStream) stream.endLocal();
    return stream;
  }

  /** Sends response headers, final or informational: `fields` and then `more`. A frozen `fields` is sent fastest. */
  sendHeaders(stream: Stream, fields: Fields, endStream: boolean, more?: Fields): void {
    if (!this.#maySend(stream)) return;
    this.#headers.write(stream.id, endStream, fields, more);
    if (endStream) this.#sentEnd(stream);
  }

  /**
   * Sends body bytes, which must stay as they are until they have left. False if some have to wait: then `writable`
   * tells when they have not, and sending more before only lets more wait.
   */
  sendData(stream: Stream, bytes: Uint8Array, endStream: boolean): boolean {
    if (!this.#maySend(stream)) return false;
    if (this.#sender.queuedBytes < this.#limits.queuedBytes) return this.#sender.data(stream, bytes, endStream);
    this.#stop(stream, "queuedBytes");
    return false;
  }

  /** Ends our side with trailers, after the body. */
  sendTrailers(stream: Stream, fields: Fields): void {
    if (this.#maySend(stream)) this.#sender.trailers(stream, fields);
  }

  /** Ends a stream at once, both sides. What of its body was not consumed counts as consumed. */
  resetStream(stream: Stream, code: number): void {
    if (this.#isOver || stream.state === StreamState.closed) return;
    this.#forget(stream, Fate.resetByUs);
    this.#output.rstStream(stream.id, code);
  }

  /** The application is done with `bytes` of a stream's body: the peer may send as many again. */
  consumed(stream: Stream, bytes: number): void {
    if (!this.#isOver) this.#flow.consume(stream, bytes);
  }

  /** Asks for an answer with the same eight bytes: `pong`. */
  ping(payload: Uint8Array): void {
    if (!this.#isOver) this.#output.ping(payload, 0, 0);
  }

  /** Tells the peer of changed settings; they hold once it has acknowledged them. */
  updateSettings(settings: Partial<Settings>): void {
    if (this.#isOver) return;
    this.#local.send(this.#output, { settings, refusePush: false, nowMs: this.#now.ms });
  }

  /** First step of leaving (RFC 9113 §6.8): asks for no new streams, and still takes those on their way. */
  drain(): void {
    if (this.#isOver) return;
    this.#isLeaving = true;
    this.#output.goAway(maxId, ErrorCode.noError, "");
  }

  /** Second step, a round trip later: names the last stream that is served. What is open goes on. */
  goAway(code: number = ErrorCode.noError, debug = ""): void {
    if (this.#isOver) return;
    this.#isLeaving = true;
    this.#inbound.lastAccepted = this.#streams.highestPeer;
    this.#output.goAway(this.#streams.highestPeer, code, debug);
  }

  /** The socket has closed, or is to be: ends every stream. */
  close(code: number = ErrorCode.noError, reason = "connection closed"): void {
    if (!this.#isOver) this.#end({ code, by: "connection", reason, isUnprocessed: false });
  }

  // ---- bytes out ----

  /** All that is to be sent now, as one piece; ask when the socket is ready for more, until there is none. */
  take(): Buffer | undefined {
    if (!this.#isOver) this.#sender.pump();
    const taken = this.#output.take();
    if (!this.#isOver && this.#sender.canSend) this.#output.announce();
    return taken;
  }

  // ---- within ----

  #begin(initialWindowBytes: number, headerTableBytes: number): void {
    if (this.#isClient) this.#output.preface();
    const { concurrentStreams, frameBytes, headerListBytes } = this.#limits;
    const settings: { -readonly [K in keyof Settings]?: number } = { initialWindowBytes, headerListBytes };
    if (!this.#isClient) settings.concurrentStreams = concurrentStreams;
    if (frameBytes !== protocolSettings.frameBytes) settings.frameBytes = frameBytes;
    if (headerTableBytes !== protocolSettings.headerTableBytes) settings.headerTableBytes = headerTableBytes;
    this.#local.send(this.#output, { settings, refusePush: this.#isClient, nowMs: this.#now.ms });
    this.#flow.start();
  }

  #newSender(): Sender {
    const events = {
      drained: (stream: Stream) => this.#events.writable(stream),
      sentEnd: (stream: Stream) => this.#sentEnd(stream),
      sentData: (bytes: number) => this.#guard.giveBack("windowUpdates", 2 + (bytes >>> 10)), // what is fair to ask for it
    };
    return new Sender({ output: this.#output, headers: this.#headers, now: this.#now, events });
  }

  #newInbound(): Inbound {
    return new Inbound({
      ...this.#parts(),
      newStream: (id) => this.#newStream(id),
      settle: (stream) => this.#settle(stream),
    });
  }

  #newControl(): Control {
    return new Control({
      ...this.#parts(),
      sender: this.#sender,
      inbound: this.#inbound,
      acknowledged: () => this.#acknowledged(),
      peerSettings: (settings, delta) => this.#adopt(settings, delta),
    });
  }

  #parts() {
    return {
      isClient: this.#isClient,
      events: this.#events,
      limits: this.#limits,
      guard: this.#guard,
      streams: this.#streams,
      flow: this.#flow,
      output: this.#output,
      forget: (stream: Stream, fate: Fate) => this.#forget(stream, fate),
    };
  }

  #read(bytes: Buffer): void {
    if (this.#prefaceLeft === 0) return this.#reader.read(bytes, 0);
    const from = preface.length - this.#prefaceLeft;
    const count = Math.min(this.#prefaceLeft, bytes.length);
    if (preface.compare(bytes, 0, count, from, from + count) !== 0) {
      throw new ConnectionError(ErrorCode.protocolError, "not the preface of HTTP/2");
    }
    this.#prefaceLeft -= count;
    if (this.#prefaceLeft === 0) this.#reader.read(bytes, count);
  }

  #newStream(id: number): Stream {
    const { initialWindowBytes } = this.#local.acknowledged;
    const send = this.#control.settings.initialWindowBytes;
    return new Stream(id, { receive: initialWindowBytes, send });
  }

  #maySend(stream: Stream): boolean {
    return !this.#isOver && stream.isLocalOpen && !stream.endsAfterQueue;
  }

  #sentEnd(stream: Stream): void {
    stream.endLocal();
    this.#settle(stream);
  }

  /** If both sides have ended, as they should: the stream is over, and the peer has earned something. */
  #settle(stream: Stream): void {
    if (stream.state !== StreamState.closed || !this.#streams.remove(stream, Fate.ended)) return;
    this.#activeAt = this.#now.ms;
    if (!this.#isClient) {
      this.#guard.giveBack("streamsOpened", 1);
      this.#guard.giveBack("resetsReceived", 1);
    }
    this.#events.closed(stream);
    this.#offerRoom();
  }

  /** The stream is over before its time. */
  #forget(stream: Stream, fate: Fate): void {
    stream.state = StreamState.closed;
    this.#streams.remove(stream, fate);
    this.#activeAt = this.#now.ms;
    this.#sender.drop(stream);
    this.#flow.release(stream);
    this.#offerRoom();
  }

  #offerRoom(): void {
    if (!this.#someoneWaits || !this.canOpen) return;
    this.#someoneWaits = false;
    this.#events.roomForStreams();
  }

  #acknowledged(): void {
    const before = this.#local.acknowledge();
    const now = this.#local.acknowledged;
    this.#reader.maxBytes = now.frameBytes;
    if (now.headerTableBytes !== before.headerTableBytes) this.#inbound.blocks.allow(now.headerTableBytes);
    const delta = now.initialWindowBytes - before.initialWindowBytes;
    if (delta === 0) return;
    for (const stream of this.#streams.live.values()) {
      stream.receiveWindow += delta;
      stream.receiveTarget += delta;
    }
  }

  #adopt(settings: Settings, delta: number): void {
    this.#headers.keepTo(settings);
    this.#sender.frameBytes = settings.frameBytes;
    for (const stream of delta === 0 ? [] : this.#streams.live.values()) {
      if (this.#sender.widenStream(stream, delta)) continue;
      throw new ConnectionError(ErrorCode.flowControlError, "SETTINGS widen a window above 2^31-1");
    }
    this.#offerRoom();
  }

  #lateness(nowMs: number): ConnectionError | undefined {
    const { handshakeMs, settingsAckMs, partialMs, idleMs } = this.#limits;
    const late = (limit: LimitName, code: number) => new ConnectionError(code, `longer than ${limit}`, limit);
    if (!this.#control.hasSettings && nowMs - this.#startedAt > handshakeMs) {
      return late("handshakeMs", ErrorCode.settingsTimeout);
    }
    if (nowMs - (this.#local.waitingSince ?? nowMs) > settingsAckMs) {
      return late("settingsAckMs", ErrorCode.settingsTimeout);
    }
    if (nowMs - (this.#partialSince ?? nowMs) > partialMs) return late("partialMs", ErrorCode.enhanceYourCalm);
    const isIdle = this.#streams.live.size === 0 && nowMs - this.#activeAt > idleMs;
    return isIdle ? late("idleMs", ErrorCode.noError) : undefined;
  }

  #endStalled(nowMs: number): void {
    for (const stream of [...this.#streams.live.values()]) {
      if (stream.queuedBytes > 0 && nowMs - stream.stuckSince > this.#limits.stallMs) this.#stop(stream, "stallMs");
    }
  }

  /** Ends a stream that holds more, or for longer, than it may. */
  #stop(stream: Stream, limit: LimitName): void {
    const [code, reason] = [ErrorCode.enhanceYourCalm, `more than ${limit}`];
    this.resetStream(stream, code);
    this.#events.fault({ streamId: stream.id, code, reason, limit });
    this.#events.reset(stream, { code, by: "fault", reason, isUnprocessed: false });
  }

  #fail(error: ConnectionError): void {
    if (this.#isOver) return;
    this.#output.goAway(this.#streams.highestPeer, error.code, error.message);
    this.#end({ code: error.code, by: "connection", reason: error.message, isUnprocessed: false });
    this.#events.failed(error);
  }

  #end(reset: Reset): void {
    this.#isOver = true;
    const streams = [...this.#streams.live.values()];
    for (const stream of streams) {
      stream.state = StreamState.closed;
      this.#sender.drop(stream);
      this.#streams.remove(stream, Fate.resetByUs);
    }
    for (const stream of streams) this.#events.reset(stream, reset);
  }
}
