import { Code, ConnectError } from "@connectrpc/connect";
import { fullJitter } from "../../base/backoff.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/log.ts";
import { type Random, systemRandom } from "../../base/random.ts";
import type { Followed } from "../../base/watch.ts";
import { runDetached } from "../../call/context.ts";
import { errorReason } from "../../call/errors.ts";
import { type Cursors, isCursorMoved, putCursors, readCursors } from "../inbox/cursors.ts";
import { type FollowOptions, type FollowParts, followLog, lookMs } from "./follow-log.ts";
import { endRebuild, rebuiltUntil } from "./rebuild.ts";
import { settledEnd } from "./settled-end.ts";

/** Whose log a service follows, and which of its slots are this replica's. */
export interface SubscriberOptions extends Omit<FollowParts, "clock" | "random" | "log"> {
  /** The slots that this replica looks after, as `openWorkShares` says. */
  readonly held: Followed<ReadonlySet<number>>;
  /** Whether a broker brings the events: then the log is read only for a rebuild, up to where it ended when that began. */
  readonly besideBroker?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
}

/** The reason of what ends because the slots are not ours any more, or are more. */
const slotsChanged = new ConnectError("the slots have changed", Code.Canceled);

/**
 * Follows the log of another service for ever: one stream for the slots held, from where the database says that they have been
 * read to; opened again when it is cut off, when slots come or go, and when somebody else has moved a cursor.
 */
export class Subscriber implements AsyncDisposable {
  readonly #parts: FollowParts;
  readonly #held: Followed<ReadonlySet<number>>;
  readonly #besideBroker: boolean;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #following: { readonly slots: ReadonlySet<number>; readonly ended: Promise<void> } | undefined;
  #endPosition = 0n;
  #hearing: "not yet" | "in vain" | "well" | "cut off" = "not yet";

  constructor({ held, besideBroker = false, ...options }: SubscriberOptions) {
    const { clock = systemClock, random = systemRandom, log = silentLogger } = options;
    this.#parts = { ...options, clock, random, log };
    this.#held = held;
    this.#besideBroker = besideBroker;
    this.#done = runDetached(() => this.#run());
  }

  /** The last position of the log, as far as it was told. */
  get endPosition(): bigint {
    return this.#endPosition;
  }

  /** Resolves when nothing is taken in of these slots any more: what `openWorkShares` asks before others get them. */
  readonly letGo = async (slots: ReadonlySet<number>): Promise<void> => {
    const following = this.#following;
    if (following !== undefined && [...slots].some((slot) => following.slots.has(slot))) await following.ended;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new ConnectError("the subscriber is closed", Code.Canceled));
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#parts;
    const backoff = fullJitter({ initialMs: 100, maxMs: 1_000, random });
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      await this.#held.until(({ size }) => size > 0, signal).catch(() => {}); // closed: the loop ends
      const slots = this.#held.value;
      if (slots.size === 0) continue;
      const reason = await this.#followUntilChange(slots);
      if (signal.aborted || reason === undefined || reason === slotsChanged) continue;
      failures = this.#hearing === "well" ? 1 : failures + 1;
      await this.#cutOff(reason, slots);
      await clock.sleep(backoff(failures), signal).catch(() => {}); // closed: the loop ends
    }
  }

  /** Follows these slots until they are others; resolves with why it has ended. */
  async #followUntilChange(slots: ReadonlySet<number>): Promise<unknown> {
    const stop = new AbortController();
    const leave = this.#held.subscribe(() => stop.abort(slotsChanged));
    const close = () => stop.abort(this.#closing.signal.reason);
    this.#closing.signal.addEventListener("abort", close);
    const ended = Promise.withResolvers<void>();
    this.#following = { slots, ended: ended.promise };
    try {
      return await this.#follow(slots, stop.signal);
    } catch (reason) {
      return stop.signal.aborted ? stop.signal.reason : reason;
    } finally {
      leave();
      this.#closing.signal.removeEventListener("abort", close);
      this.#following = undefined;
      ended.resolve();
    }
  }

  async #follow(slots: ReadonlySet<number>, signal: AbortSignal): Promise<void> {
    const { store, cursors, source } = this.#parts;
    const onEnd = (position: bigint) => this.#connected(position);
    const written = await store.read((em) => readCursors(em, cursors, source, [...slots]));
    if (this.#besideBroker) return this.#readAnew(written, { signal, onEnd });
    const from = new Map([...slots].map((slot) => [slot, written.get(slot) ?? 0n]));
    await followLog(this.#parts, { from, signal, onEnd });
  }

  /** Reads what a rebuild has left to read; where none is under way, looks again in a second. */
  async #readAnew(from: Cursors, how: Pick<FollowOptions, "signal" | "onEnd">): Promise<void> {
    const { store, cursors, source, clock, log } = this.#parts;
    const until = await store.read((em) => rebuiltUntil(em, cursors, source));
    if (until === undefined || from.size === 0) return clock.sleep(lookMs, how.signal);
    const since = clock.now();
    const at = await followLog(this.#parts, { from, until, ...how });
    const end = await settledEnd({ ...this.#parts, since, signal: how.signal });
    await followLog(this.#parts, { from: at, until: end, ...how });
    const slots = [...from.keys()];
    const isOver = await store.unit((em) => endRebuild(em, cursors, { source, slots, until, end }));
    if (isOver) log.info("a view was read anew", { source, slots, until: end });
  }

  #connected(endPosition: bigint): void {
    this.#endPosition = endPosition;
    const { source, log } = this.#parts;
    if (this.#hearing === "in vain") log.info("events come", { source });
    if (this.#hearing === "cut off") log.info("events come again", { source });
    this.#hearing = "well";
  }

  async #cutOff(reason: unknown, slots: ReadonlySet<number>): Promise<void> {
    const { source, log } = this.#parts;
    if (isCursorMoved(reason)) return log.info("a cursor was moved: reading from there", { source });
    if (reason instanceof ConnectError && reason.code === Code.OutOfRange) return this.#startOver(reason, slots);
    const about = { source, error: reason instanceof ConnectError ? reason.message : reason };
    if (this.#hearing === "not yet") log.info("no events come yet: asking again and again", about);
    if (this.#hearing === "well") log.warn("no events come for the moment: asking again and again", about);
    this.#hearing = this.#hearing === "not yet" || this.#hearing === "in vain" ? "in vain" : "cut off";
  }

  /**
   * Reads all that the log has. What was read before is known by the events' ids, and changes nothing; what the log has
   * forgotten before it was read cannot be had any more.
   */
  async #startOver(error: ConnectError, slots: ReadonlySet<number>): Promise<void> {
    const { store, cursors, source, log } = this.#parts;
    const position = beginningOf(error);
    log.error("a log is not the one that was read, or is no more whole: reading all that it has", {
      source,
      error,
      reading_from: position,
    });
    await store
      .unit((em) => putCursors(em, cursors, { source, slots: [...slots], position }))
      .catch((error: unknown) => log.warn("the cursors cannot be put back for the moment", { source, error }));
  }
}

/** The position after which a log begins, by the error that says so. */
function beginningOf(error: ConnectError): bigint {
  const { metadata = {} } = errorReason(error) ?? {};
  const first = metadata.first_position ?? "";
  return /^[1-9]\d{0,17}$/.test(first) ? BigInt(first) - 1n : 0n;
}
