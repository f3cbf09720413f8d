import { BlockReader } from "./block-reader.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";
import type { ConnectionEvents } from "./events.ts";
import type { ReceiveFlow } from "./flow.ts";
import { Flag, FrameType, uint32, unpaddedEnd } from "./frame.ts";
import type { Guard } from "./guard.ts";
import type { HeaderList } from "./header-list.ts";
import type { LimitName, Limits } from "./limits.ts";
import type { Output } from "./output.ts";
import { Fate, type Stream, StreamState, Verdict, verdict } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** What the reading of messages works with. */
export interface InboundOptions {
  readonly isClient: boolean;
  readonly events: ConnectionEvents;
  readonly limits: Limits;
  readonly guard: Guard;
  readonly streams: Streams;
  readonly flow: ReceiveFlow;
  readonly output: Output;
  /** A stream with the windows that hold now. */
  newStream(id: number): Stream;
  /** Takes a stream from the books. */
  forget(stream: Stream, fate: Fate): void;
  /** Both sides may have ended: settles that. */
  settle(stream: Stream): void;
}

const protocolError = (reason: string) => new ConnectionError(ErrorCode.protocolError, reason);

/** Messages as they arrive: HEADERS, CONTINUATION and DATA on their streams (RFC 9113 §5.1, §8.1). */
export class Inbound {
  readonly blocks: BlockReader;
  /** Streams of the peer above this one come too late: we have said GOAWAY. */
  lastAccepted = Number.POSITIVE_INFINITY;
  readonly #options: InboundOptions;
  #blockEndsStream = false;

  constructor(options: InboundOptions) {
    this.#options = options;
    this.blocks = new BlockReader(options.limits);
  }

  /** HEADERS (§6.2). What it says of priorities is passed over (§5.3.2), except that it must not be absurd. */
  headers(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError("HEADERS on stream 0");
    let from = start;
    const to = flags & Flag.padded ? unpaddedEnd(bytes, from++, end) : end;
    if (flags & Flag.priority) {
      if (to - from < 5) throw new ConnectionError(ErrorCode.frameSizeError, "HEADERS too short for its priority");
      if ((uint32(bytes, from) & 0x7fffffff) === id) throw protocolError("a stream that depends on itself");
      from += 5;
    }
    const endStream = (flags & Flag.endStream) !== 0;
    if (flags & Flag.endHeaders) return this.#message(id, this.blocks.read(bytes, from, to), endStream);
    if (from === to) this.#options.guard.charge("emptyFrames");
    this.#blockEndsStream = endStream;
    this.blocks.begin(id, bytes.subarray(from, to));
  }

  /** CONTINUATION (§6.10). */
  continuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const id = this.blocks.openId;
    if (id === 0) throw protocolError("CONTINUATION of nothing");
    if (start === end) this.#options.guard.charge("emptyFrames");
    this.blocks.continue(bytes.subarray(start, end));
    if (flags & Flag.endHeaders) this.#message(id, this.blocks.end(), this.#blockEndsStream);
  }

  /** DATA (§6.1). All of it counts against the windows, whatever becomes of it. */
  data(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError("DATA on stream 0");
    const { streams, flow, guard } = this.#options;
    let from = start;
    const to = flags & Flag.padded ? unpaddedEnd(bytes, from++, end) : end;
    const endStream = (flags & Flag.endStream) !== 0;
    if (from === to && !endStream) guard.charge("emptyFrames");
    const stream = streams.live.get(id);
    flow.receive(end - start);
    if (stream === undefined || !stream.isRemoteOpen || !stream.hasHeaders) {
      flow.consumeUnheld(end - start);
      return this.#unexpected(id, stream, FrameType.data);
    }
    if (!flow.receiveOn(stream, end - start)) {
      return this.fail(stream, ErrorCode.flowControlError, "stream window overrun");
    }
    if (end - start > to - from) flow.consume(stream, end - start - (to - from));
    this.#body(stream, bytes, from, to, endStream);
  }

  #body(stream: Stream, bytes: Buffer, from: number, to: number, endStream: boolean): void {
    if (stream.promisedBytes >= 0) {
      stream.promisedBytes -= to - from;
      const isWrong = endStream ? stream.promisedBytes !== 0 : stream.promisedBytes < 0;
      if (isWrong) return this.fail(stream, ErrorCode.protocolError, "body is not as long as content-length");
    }
    if (endStream) stream.endRemote();
    if (from < to || endStream) this.#options.events.data(stream, bytes, from, to, endStream);
    if (endStream) this.#options.settle(stream);
  }

  /** Ends a stream for a mistake of the peer (§5.4.2), which pays for it: resets are work. */
  fail(stream: Stream, code: number, reason: string, limit?: LimitName): void {
    const { events } = this.#options;
    if (stream.state === StreamState.closed) return;
    this.#options.forget(stream, Fate.resetByUs);
    events.reset(stream, { code, by: "fault", reason, isUnprocessed: false });
    this.#reject(stream.id, code, reason, limit);
  }

  #reject(id: number, code: number, reason: string, limit?: LimitName): void {
    const { guard, output, events } = this.#options;
    events.fault({ streamId: id, code, reason, limit });
    guard.charge("resetsForced");
    output.rstStream(id, code);
  }

  /** A frame where the stream's state has no place for it. */
  #unexpected(id: number, stream: Stream | undefined, type: number): void {
    const { streams } = this.#options;
    const state = stream?.state ?? (streams.isIdle(id) ? StreamState.idle : StreamState.closed);
    switch (verdict(state, streams.fateOf(id), type)) {
      case Verdict.ignore:
        return;
      case Verdict.protocolError:
        throw protocolError(`frame ${type} on stream ${id}, which was never open`);
      case Verdict.connectionClosed:
        throw new ConnectionError(ErrorCode.streamClosed, `frame ${type} on closed stream ${id}`);
      case Verdict.streamClosed:
        if (stream === undefined) this.#reject(id, ErrorCode.streamClosed, "frame after the end");
        else this.fail(stream, ErrorCode.streamClosed, "frame after the end");
        return;
      case Verdict.accept: // the state is right and the message is not: a body before its headers
        if (stream !== undefined) this.fail(stream, ErrorCode.protocolError, "body before headers");
    }
  }

  /** A whole header list on a stream. */
  #message(id: number, list: HeaderList, endStream: boolean): void {
    const { streams } = this.#options;
    const stream = streams.live.get(id);
    if (stream === undefined && streams.isIdle(id)) return this.#open(id, list, endStream);
    if (stream === undefined || !stream.isRemoteOpen) return this.#unexpected(id, stream, FrameType.headers);
    const limit = this.blocks.overflowed;
    if (limit !== undefined) return this.fail(stream, ErrorCode.enhanceYourCalm, `more than ${limit}`, limit);
    if (stream.hasHeaders) this.#trailers(stream, list, endStream);
    else this.#response(stream, list, endStream);
  }

  #open(id: number, list: HeaderList, endStream: boolean): void {
    const { streams, isClient, guard, events, output, limits } = this.#options;
    if (output.length > limits.outputBytes) {
      throw new ConnectionError(ErrorCode.enhanceYourCalm, "answers are not read: outputBytes", "outputBytes");
    }
    if (isClient || streams.isOwn(id)) throw protocolError(`HEADERS on stream ${id}, which is not the peer's to open`);
    if (id > this.lastAccepted) return streams.note(id, Fate.resetByUs);
    guard.charge("streamsOpened");
    if (this.#isRefused(id, list, endStream)) return;
    const stream = this.#options.newStream(id);
    streams.add(stream);
    stream.hasHeaders = true;
    stream.promisedBytes = list.contentLength;
    if (endStream) stream.endRemote();
    events.headers(stream, list.fields, endStream);
  }

  /** Refuses what should not become a stream (§5.1.2, §8.1.1), without making one. */
  #isRefused(id: number, list: HeaderList, endStream: boolean): boolean {
    const { streams, limits } = this.#options;
    const limit = this.blocks.overflowed;
    const fault =
      list.requestFault ?? (endStream && list.contentLength > 0 ? "content-length without body" : undefined);
    if (limit === undefined && fault === undefined && streams.peerCount < limits.concurrentStreams) return false;
    streams.note(id, Fate.resetByUs);
    if (limit !== undefined) this.#reject(id, ErrorCode.enhanceYourCalm, `more than ${limit}`, limit);
    else if (fault !== undefined) this.#reject(id, ErrorCode.protocolError, fault);
    else this.#reject(id, ErrorCode.refusedStream, "too many streams", "concurrentStreams");
    return true;
  }

  #response(stream: Stream, list: HeaderList, endStream: boolean): void {
    const { events, guard } = this.#options;
    const isInterim = list.isInformational;
    const fault = list.responseFault ?? (isInterim && endStream ? "1xx that ends the stream" : undefined);
    if (fault !== undefined) return this.fail(stream, ErrorCode.protocolError, fault);
    if (isInterim) {
      guard.charge("emptyFrames");
      return events.informational(stream, list.fields);
    }
    stream.hasHeaders = true;
    stream.promisedBytes = stream.isHead || list.status === 304 ? 0 : list.contentLength;
    if (endStream && stream.promisedBytes > 0) {
      return this.fail(stream, ErrorCode.protocolError, "content-length without body");
    }
    if (endStream) stream.endRemote();
    events.headers(stream, list.fields, endStream);
    if (endStream) this.#options.settle(stream);
  }

  #trailers(stream: Stream, list: HeaderList, endStream: boolean): void {
    const isShort = stream.promisedBytes > 0 ? "body is not as long as content-length" : undefined;
    const fault = endStream ? (list.trailerFault ?? isShort) : "trailers that do not end the stream";
    if (fault !== undefined) return this.fail(stream, ErrorCode.protocolError, fault);
    stream.endRemote();
    this.#options.events.trailers(stream, list.fields);
    this.#options.settle(stream);
  }
}
