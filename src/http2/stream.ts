import { FrameType } from "./frame.ts";

/**
 * Where a stream is in its life (RFC 9113 §5.1). The two reserved states are missing: push is refused.
 * `halfClosedLocal`: we have ended our side. `halfClosedRemote`: the peer has.
 */
export const StreamState = { idle: 0, open: 1, halfClosedLocal: 2, halfClosedRemote: 3, closed: 4 } as const;
export type StreamState = (typeof StreamState)[keyof typeof StreamState];

/** How a stream came to be closed: what may still arrive depends on it. */
export const Fate = { ended: 0, resetByPeer: 1, resetByUs: 2, skipped: 3 } as const;
export type Fate = (typeof Fate)[keyof typeof Fate];

/** What to do with a frame on a stream. */
export const Verdict = { accept: 0, ignore: 1, protocolError: 2, connectionClosed: 3, streamClosed: 4 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/**
 * The table of RFC 9113 §5.1: a frame that arrives on a stream in a state. `connectionClosed` and `streamClosed` are
 * STREAM_CLOSED for the connection and for the stream. HEADERS that open a stream are not asked about here.
 */
export function verdict(state: StreamState, fate: Fate, type: number): Verdict {
  if (type === FrameType.priority) return Verdict.accept;
  switch (state) {
    case StreamState.idle:
      return Verdict.protocolError;
    case StreamState.open:
    case StreamState.halfClosedLocal:
      return Verdict.accept;
    case StreamState.halfClosedRemote:
      return carriesMessage(type) ? Verdict.streamClosed : Verdict.accept;
    case StreamState.closed:
      if (fate === Fate.resetByUs || !carriesMessage(type)) return Verdict.ignore; // they crossed on the way
      if (fate === Fate.skipped) return Verdict.protocolError;
      return fate === Fate.resetByPeer ? Verdict.streamClosed : Verdict.connectionClosed;
  }
}

const carriesMessage = (type: number) => type === FrameType.data || type === FrameType.headers;

/** One exchange. The protocol's book-keeping is the connection's; `owner` is whatever the user of the stream hangs on it. */
export class Stream {
  readonly id: number;
  owner: unknown = undefined;
  state: StreamState = StreamState.open;

  // The message that arrives.
  /** Whether the final headers have come: from there on, headers are trailers. */
  hasHeaders = false;
  /** Body bytes that `content-length` still promises, or -1 if it did not say. */
  promisedBytes = -1;
  /** Whether the body is empty whatever `content-length` says: the answer to HEAD. */
  isHead = false;

  // Flow control of what arrives: what the peer may send now, and what we let it at most.
  receiveWindow: number;
  receiveTarget: number;
  /** Received, and not consumed by the application. */
  held = 0;

  // What leaves.
  sendWindow: number;
  /** Body pieces that wait, in order; the first from `queueOffset` on. */
  queue: Uint8Array[] = noQueue;
  queueOffset = 0;
  queuedBytes = 0;
  /** What follows the queue: the end of the stream, or trailers that are it. */
  endsAfterQueue = false;
  trailers: readonly string[] | undefined = undefined;
  /** Whether someone was told to wait, and since when nothing has moved. */
  isAwaited = false;
  stuckSince = 0;
  /** Its place in the line of streams that have something to send. */
  isInLine = false;
  previousInLine: Stream | undefined = undefined;
  nextInLine: Stream | undefined = undefined;

  constructor(id: number, windows: { readonly receive: number; readonly send: number }) {
    this.id = id;
    this.receiveWindow = windows.receive;
    this.receiveTarget = windows.receive;
    this.sendWindow = windows.send;
  }

  /** Whether we may still send. */
  get isLocalOpen(): boolean {
    return this.state === StreamState.open || this.state === StreamState.halfClosedRemote;
  }

  /** Whether the peer may still send. */
  get isRemoteOpen(): boolean {
    return this.state === StreamState.open || this.state === StreamState.halfClosedLocal;
  }

  /** We have ended our side. */
  endLocal(): void {
    this.state = this.state === StreamState.open ? StreamState.halfClosedLocal : StreamState.closed;
  }

  /** The peer has ended its side. */
  endRemote(): void {
    this.state = this.state === StreamState.open ? StreamState.halfClosedRemote : StreamState.closed;
  }
}

/** The queue of a stream that has none; never written. */
export const noQueue: Uint8Array[] = [];
