import { type ConnectionOptions, Core, maxId } from "./core.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";
import { preface } from "./frame.ts";
import type { Fields } from "./hpack-decoder.ts";
import type { LimitName } from "./limits.ts";
import type { Settings } from "./settings.ts";
import { Fate, type Stream, StreamState } from "./stream.ts";

export type { ConnectionOptions } from "./core.ts";

/**
 * One HTTP/2 connection, of either role, without a socket: bytes in and events out, commands in and bytes out
 * (RFC 9113). A command on a stream that is over does nothing, since the peer may have ended it a moment ago.
 */
export class Connection {
  readonly #core: Core;
  readonly #startedAt: number;
  #prefaceLeft: number;
  /** Which frame or header block was left incomplete, 0 for none, and since when. */
  #partialMark = 0;
  #partialSince = 0;

  constructor(options: ConnectionOptions) {
    this.#core = new Core(options);
    this.#startedAt = options.nowMs;
    this.#prefaceLeft = options.role === "client" ? 0 : preface.length;
  }

  /** Whether the connection has failed or was closed: it takes and gives nothing any more. */
  get isOver(): boolean {
    return this.#core.isOver;
  }

  /** Streams that are not over. */
  get streamCount(): number {
    return this.#core.streams.live.size;
  }

  /** What the peer has told of itself. */
  get peerSettings(): Settings {
    return this.#core.control.settings;
  }

  /** Whether `openStream` would open one. */
  get canOpen(): boolean {
    return this.#core.canOpen;
  }

  // ---- bytes and time in ----

  /** Reads what the peer has sent, as it comes, and tells of it. */
  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.#core.isOver) return;
    this.#core.now.ms = this.#core.activeAt = Math.max(nowMs, this.#core.now.ms);
    try {
      this.#read(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    } catch (error) {
      if (error instanceof ConnectionError) return this.#fail(error);
      this.#fail(new ConnectionError(ErrorCode.internalError, "a handler threw")); // what was read is lost with it
      throw error;
    }
    this.#notePartial(nowMs);
  }

  /** Tells the time where nothing arrives: now and then, a second is often enough. */
  tick(nowMs: number): void {
    if (this.#core.isOver) return;
    this.#core.now.ms = Math.max(nowMs, this.#core.now.ms);
    const late = this.#lateness(nowMs);
    if (late !== undefined) return this.#fail(late);
    if (this.#core.sender.queuedBytes > 0) this.#endStalled(nowMs);
  }

  // ---- commands ----

  /**
   * Opens a stream with a request of `fields` (`:method` first) and then `more`; `undefined` if there is no room for one.
   * Like all that sends fields it throws, and sends nothing, if the peer takes no such list or no one may (`HeaderWriter`).
   */
  openStream(fields: Fields, endStream: boolean, more?: Fields): Stream | undefined {
    if (!this.canOpen) {
      this.#core.someoneWaits = true;
      return undefined;
    }
    const id = this.#core.streams.highestOwn === 0 ? 1 : this.#core.streams.highestOwn + 2;
    this.#core.headers.write(id, endStream, fields, more);
    const stream = this.#core.newStream(id);
    stream.isHead = fields[1] === "HEAD" && fields[0] === ":method";
    this.#core.streams.add(stream);
    if (endStream) stream.endLocal();
    return stream;
  }

  /** Sends response headers, final or informational: `fields` and then `more`. A frozen `fields` is sent fastest. */
  sendHeaders(stream: Stream, fields: Fields, endStream: boolean, more?: Fields): void {
    if (!this.#maySend(stream)) return;
    if (stream.queuedBytes > 0) throw new TypeError("headers after the body has begun: send trailers");
    this.#core.headers.write(stream.id, endStream, fields, more);
    if (endStream) this.#core.sentEnd(stream);
  }

  /**
   * Sends body bytes, which must stay as they are until they have left, unless they are 16 or fewer. False if some have to wait: then `writable`
   * tells when they have left; sending more before lets more wait, and past a limit ends the stream.
   */
  sendData(stream: Stream, bytes: Uint8Array, endStream: boolean): boolean {
    if (!this.#maySend(stream)) return false;
    const { sender, limits } = this.#core;
    if (sender.queuedBytes < limits.queuedBytes) return sender.data(stream, bytes, endStream);
    this.#stop(stream, "queuedBytes");
    return false;
  }

  /** Ends our side with trailers, after the body. */
  sendTrailers(stream: Stream, fields: Fields): void {
    if (this.#maySend(stream)) this.#core.sender.trailers(stream, fields);
  }

  /** Ends a stream at once, both sides. What of its body was not consumed counts as consumed. */
  resetStream(stream: Stream, code: number): void {
    if (this.#core.isOver || stream.state === StreamState.closed) return;
    this.#core.forget(stream, Fate.resetByUs);
    this.#core.output.rstStream(stream.id, code);
  }

  /** The application is done with `bytes` of a stream's body: the peer may send as many again. */
  consumed(stream: Stream, bytes: number): void {
    if (!this.#core.isOver) this.#core.flow.consume(stream, bytes);
  }

  /** Asks for an answer with the same eight bytes: `pong`. */
  ping(payload: Uint8Array): void {
    if (!this.#core.isOver) this.#core.output.ping(payload, 0, 0);
  }

  /** Tells the peer of changed settings; they hold once it has acknowledged them. */
  updateSettings(settings: Partial<Settings>): void {
    if (this.#core.isOver) return;
    this.#core.local.send(this.#core.output, { settings, refusePush: false, nowMs: this.#core.now.ms });
  }

  /** First step of leaving (RFC 9113 §6.8): asks for no new streams, and still takes those on their way. */
  drain(): void {
    if (this.#core.isOver) return;
    this.#core.isLeaving = true;
    this.#core.output.goAway(maxId, ErrorCode.noError, "");
  }

  /** Second step, a round trip later: names the last stream that is served. What is open goes on. */
  goAway(code: number = ErrorCode.noError, debug = ""): void {
    if (this.#core.isOver) return;
    this.#core.isLeaving = true;
    this.#core.inbound.lastAccepted = this.#core.streams.highestPeer;
    this.#core.output.goAway(this.#core.streams.highestPeer, code, debug);
  }

  /** The socket has closed, or is to be: ends every stream. */
  close(code: number = ErrorCode.noError, reason = "connection closed"): void {
    if (!this.#core.isOver) this.#core.end({ code, by: "connection", reason, isUnprocessed: false });
  }

  // ---- bytes out ----

  /** The next piece of what is to be sent now; ask when the socket is ready for more, until there is none. */
  take(): Buffer | undefined {
    if (!this.#core.isOver) this.#core.sender.pump();
    const taken = this.#core.output.take();
    if (!this.#core.isOver && this.#core.sender.canSend) this.#core.output.announce();
    return taken;
  }

  // ---- within ----

  #read(bytes: Buffer): void {
    if (this.#prefaceLeft === 0) return this.#core.reader.read(bytes, 0);
    const from = preface.length - this.#prefaceLeft;
    const count = Math.min(this.#prefaceLeft, bytes.length);
    if (preface.compare(bytes, 0, count, from, from + count) !== 0) {
      throw new ConnectionError(ErrorCode.protocolError, "not the preface of HTTP/2");
    }
    this.#prefaceLeft -= count;
    if (this.#prefaceLeft === 0) this.#core.reader.read(bytes, count);
  }

  /** A peer in the middle of a frame may take its time, but not for ever; the next frame has a time of its own. */
  #notePartial(nowMs: number): void {
    const { reader, inbound } = this.#core;
    const isOpen = inbound.blocks.openId !== 0;
    const mark = isOpen ? -inbound.blocks.count : reader.isPartial ? reader.count + 1 : 0;
    if (mark === this.#partialMark) return;
    this.#partialMark = mark;
    this.#partialSince = nowMs;
  }

  #maySend(stream: Stream): boolean {
    return !this.#core.isOver && stream.isLocalOpen && !stream.endsAfterQueue;
  }

  #lateness(nowMs: number): ConnectionError | undefined {
    const { handshakeMs, settingsAckMs, partialMs, idleMs } = this.#core.limits;
    const late = (limit: LimitName, code: number) => new ConnectionError(code, `longer than ${limit}`, limit);
    if (!this.#core.control.hasSettings && nowMs - this.#startedAt > handshakeMs) {
      return late("handshakeMs", ErrorCode.settingsTimeout);
    }
    if (nowMs - (this.#core.local.waitingSince ?? nowMs) > settingsAckMs) {
      return late("settingsAckMs", ErrorCode.settingsTimeout);
    }
    const isPartial = this.#partialMark !== 0 && nowMs - this.#partialSince > partialMs;
    if (isPartial) return late("partialMs", ErrorCode.enhanceYourCalm);
    const isIdle = this.#core.streams.live.size === 0 && nowMs - this.#core.activeAt > idleMs;
    return isIdle ? late("idleMs", ErrorCode.noError) : undefined;
  }

  #endStalled(nowMs: number): void {
    const { streams, limits } = this.#core;
    for (const stream of streams.live.values()) {
      if (stream.queuedBytes > 0 && nowMs - stream.stuckSince > limits.stallMs) this.#stop(stream, "stallMs");
    }
  }

  /** Ends a stream that holds more, or for longer, than it may. */
  #stop(stream: Stream, limit: LimitName): void {
    const [code, reason] = [ErrorCode.enhanceYourCalm, `more than ${limit}`];
    this.resetStream(stream, code);
    this.#core.events.fault({ streamId: stream.id, code, reason, limit });
    this.#core.events.reset(stream, { code, by: "fault", reason, isUnprocessed: false });
  }

  #fail(error: ConnectionError): void {
    if (this.#core.isOver) return;
    this.#core.output.goAway(this.#core.streams.highestPeer, error.code, error.message);
    this.#core.end({ code: error.code, by: "connection", reason: error.message, isUnprocessed: false });
    this.#core.events.failed(error);
  }
}
