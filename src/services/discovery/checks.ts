import { durationMs } from "@bufbuild/protobuf/wkt";
import { Status } from "../../../gen/heddle/discovery/v1/instance_pb.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { runDetached } from "../../call/context.ts";
import { type Probe, whyNoAnswer } from "./probes.ts";
import type { Entry, Verdict } from "./registry.ts";
import { createSlots, type Slots } from "./slots.ts";

/** What the checks need to know. */
export interface ChecksOptions {
  readonly probe: Probe;
  /** Told what each check found. */
  readonly report: (entry: Entry, verdict: Verdict) => void;
  readonly clock: Clock;
  readonly random: Random;
  /** The most that run at once; others wait their turn. */
  readonly maxAtOnce?: number;
}

const defaultIntervalMs = 10_000;
const defaultTimeoutMs = 2_000;
/** An instance that has never been well is asked again this soon, twice as late each time, until its interval is reached. */
const eagerMs = 1_000;
/** Share of the interval by which checks are spread, so that those that began together drift apart. */
const spreadRatio = 0.1;

/**
 * Asks every instance how it is: at once when it is added, then each interval ± 10 %. Each instance has a round of its own
 * and a limit on each question, so a slow one is nobody else's trouble.
 */
export class Checks implements Disposable {
  readonly #options: ChecksOptions;
  readonly #slots: Slots;
  /** What stops the round of each instance. */
  readonly #rounds = new Map<string, AbortController>();
  #disposed = false;

  constructor(options: ChecksOptions) {
    this.#options = options;
    this.#slots = createSlots(options.maxAtOnce ?? 100);
  }

  /** How many instances are being checked. */
  get size(): number {
    return this.#rounds.size;
  }

  /** Begins to check an entry, in the place of an earlier one of its id. Resolves, never rejects, after the first check. */
  add(entry: Entry): Promise<void> {
    this.drop(entry.instance.id);
    if (this.#disposed) return Promise.resolve();
    const stop = new AbortController();
    const first = Promise.withResolvers<void>();
    this.#rounds.set(entry.instance.id, stop);
    const run = () => this.#run(entry, stop.signal, first.resolve);
    void runDetached(run).catch(() => first.resolve()); // rejects only because it was stopped
    return first.promise;
  }

  /** Stops checking; a check that is under way is given up and not reported. */
  drop(id: string): void {
    const round = this.#rounds.get(id);
    this.#rounds.delete(id);
    round?.abort(stopped);
  }

  /** Stops all checks; none begins after it. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const id of [...this.#rounds.keys()]) this.drop(id);
  }

  async #run(entry: Entry, signal: AbortSignal, afterFirst: () => void): Promise<void> {
    const { clock, random, report } = this.#options;
    const intervalMs = msOf(entry.instance.healthCheck?.interval, defaultIntervalMs);
    let waitMs = entry.instance.status === Status.UNSPECIFIED ? Math.min(eagerMs, intervalMs) : intervalMs;
    for (;;) {
      const verdict = await this.#slots.run(() => this.#ask(entry, signal), signal);
      if (signal.aborted) throw signal.reason;
      report(entry, verdict);
      afterFirst();
      if (verdict.status === Status.HEALTHY) waitMs = intervalMs;
      await clock.sleep(Math.round(waitMs * (1 + spreadRatio * (2 * random() - 1))), signal);
      waitMs = Math.min(2 * waitMs, intervalMs);
    }
  }

  /** One question. Does not outlast its time, even if the probe does not heed its signal. */
  async #ask(entry: Entry, stop: AbortSignal): Promise<Verdict> {
    stop.throwIfAborted();
    const timeoutMs = msOf(entry.instance.healthCheck?.timeout, defaultTimeoutMs);
    const over = new AbortController();
    const giveUp = () => over.abort(stop.reason);
    stop.addEventListener("abort", giveUp, { once: true });
    const late = Promise.withResolvers<never>();
    over.signal.addEventListener("abort", () => late.reject(over.signal.reason), { once: true });
    const timer = this.#options.clock.setTimer(timeoutMs, () =>
      over.abort(new Error(`no answer within ${timeoutMs} ms`)),
    );
    try {
      return await Promise.race([this.#options.probe(entry, over.signal), late.promise]);
    } catch (reason) {
      return { status: Status.UNAVAILABLE, reason: whyNoAnswer(over.signal.aborted ? over.signal.reason : reason) };
    } finally {
      timer.cancel();
      stop.removeEventListener("abort", giveUp);
    }
  }
}

const stopped = new Error("the check is not needed any more");

function msOf(span: Parameters<typeof durationMs>[0] | undefined, fallbackMs: number): number {
  return span ? durationMs(span) : fallbackMs;
}
