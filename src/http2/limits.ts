/** So many at once, and so many a second for as long as it lasts. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * How much a peer may ask of one connection. HTTP/2 lets it ask for nearly everything; each known attack is stopped by
 * one of these, and whoever passes it is told which.
 */
export interface Limits {
  /** Streams a peer may have open at once; the next are refused (RFC 9113 §5.1.2). */
  readonly concurrentStreams: number;
  /** A header list, each field counted with 32 bytes more (RFC 9113 §6.5.2); also what a block may weigh compressed. */
  readonly headerListBytes: number;
  /** Fields in a header list. */
  readonly headerCount: number;
  /** CONTINUATION frames in one header block. */
  readonly continuationFrames: number;
  /** Payload of one frame: our SETTINGS_MAX_FRAME_SIZE. */
  readonly frameBytes: number;
  /** Body bytes that wait for a peer's windows, over all streams. */
  readonly queuedBytes: number;
  /** Replies that wait because a peer sends and does not read. */
  readonly outputBytes: number;
  /** Received body bytes of a stream that the application has not consumed; the window grows up to this. */
  readonly streamWindowBytes: number;
  /** The same, over all streams of the connection. */
  readonly connectionWindowBytes: number;
  /** How streams of both ends are remembered that were reset, so that frames on their way are told from wrong ones. */
  readonly closedStreams: number;
  /** Streams opened that did not end as they should; those that do are given back. */
  readonly streamsOpened: Rate;
  /** RST_STREAM received (rapid reset); each stream that ends as it should gives one back. */
  readonly resetsReceived: Rate;
  /** RST_STREAM that a peer's mistakes made us send (made-you-reset). */
  readonly resetsForced: Rate;
  readonly pings: Rate;
  readonly settings: Rate;
  /** Frames that carry nothing: DATA, HEADERS or CONTINUATION without payload that end nothing. */
  readonly emptyFrames: Rate;
  /** WINDOW_UPDATE; the DATA we send gives back what is fair. */
  readonly windowUpdates: Rate;
  /** From the first byte to the peer's SETTINGS, in milliseconds. */
  readonly handshakeMs: number;
  /** For our SETTINGS to be acknowledged, in milliseconds. */
  readonly settingsAckMs: number;
  /** For a frame or a header block that was begun to be complete, in milliseconds. */
  readonly partialMs: number;
  /** For a body that waits to move by a byte, in milliseconds. */
  readonly stallMs: number;
  /** Without a stream or a frame, in milliseconds; `Infinity` to keep what is idle. */
  readonly idleMs: number;
}

/** The name of a limit, as faults and the log tell it. */
export type LimitName = keyof Limits;

/** Safe on an open port and never met by a peer that behaves: a mesh's own load stays far below. */
export const defaultLimits: Limits = {
  concurrentStreams: 1_000,
  headerListBytes: 64 * 1024,
  headerCount: 200,
  continuationFrames: 32,
  frameBytes: 16_384,
  queuedBytes: 64 * 1024 * 1024,
  outputBytes: 4 * 1024 * 1024,
  streamWindowBytes: 4 * 1024 * 1024,
  connectionWindowBytes: 16 * 1024 * 1024,
  closedStreams: 2_000,
  streamsOpened: { burst: 4_000, perSecond: 1_000 },
  resetsReceived: { burst: 1_000, perSecond: 100 },
  resetsForced: { burst: 200, perSecond: 20 },
  pings: { burst: 1_000, perSecond: 500 },
  settings: { burst: 100, perSecond: 10 },
  emptyFrames: { burst: 200, perSecond: 20 },
  windowUpdates: { burst: 4_000, perSecond: 1_000 },
  handshakeMs: 10_000,
  settingsAckMs: 10_000,
  partialMs: 30_000,
  stallMs: 300_000,
  idleMs: 300_000,
};

/** The limits that are rates. */
export type RateName = { [K in LimitName]: Limits[K] extends Rate ? K : never }[LimitName];

/** Counts against a rate: a bucket that refills with time, and with good behaviour. */
export class Meter {
  readonly #rate: Rate;
  #left: number;
  #at: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#at = nowMs;
  }

  /** Takes one, and says whether it was there to take. */
  take(nowMs: number): boolean {
    if (this.#left < 1) {
      const earned = (Math.max(0, nowMs - this.#at) * this.#rate.perSecond) / 1_000;
      this.#left = Math.min(this.#rate.burst, this.#left + earned);
      this.#at = nowMs;
      if (this.#left < 1) return false;
    }
    this.#left--;
    return true;
  }

  /** Gives back what was earned otherwise than by waiting. */
  giveBack(count: number): void {
    this.#left = Math.min(this.#rate.burst, this.#left + count);
  }
}

/** The time as it was last told, in milliseconds: nothing here has a clock of its own. */
export interface Now {
  ms: number;
}
