import type { WatchResponse } from "../../../gen/heddle/discovery/v1/discovery_pb.ts";
import type { Clock } from "../../base/clock.ts";
import { Feed, type FeedOptions } from "./feed.ts";
import { onAbort } from "./streams.ts";

/** What a watch needs to know. */
export interface WatchOptions extends FeedOptions {
  readonly clock: Clock;
  /** Any of these ends the watch: its client has gone, or discovery is about to. */
  readonly signals: readonly AbortSignal[];
  /** Silence after which a sign of life is sent. */
  readonly heartbeatMs?: number;
}

/**
 * Follows a selection of the registry: a snapshot, then deltas, each naming the version it builds on, and a heartbeat in
 * the silence. It listens before it reads, so that nothing falls between; nothing of it is left when it ends.
 */
export async function* watch(options: WatchOptions): AsyncGenerator<WatchResponse> {
  const { registry, clock, signals, heartbeatMs = 5_000 } = options;
  const feed = new Feed(options);
  const bell = createBell();
  const leave = registry.subscribe((change) => {
    if (feed.offer(change)) bell.ring();
  });
  using _stopping = onAbort(signals, () => {
    leave(); // at once: a reader that never reads again would keep this generator where it is
    bell.ring();
  });
  try {
    while (!signals.some((signal) => signal.aborted)) {
      const next = feed.take();
      if (next) yield next;
      else if (!(await bell.rung(clock, heartbeatMs))) yield feed.heartbeat();
    }
  } finally {
    leave();
  }
}

/** Something to wait for: rung by whoever has news, at most one waiting. */
function createBell() {
  let wake: (() => void) | undefined;
  return {
    ring: () => wake?.(),
    /** True once rung; false after so much silence. To be called when there is no news, in the same turn. */
    rung: (clock: Clock, silenceMs: number): Promise<boolean> =>
      new Promise((resolve) => {
        const done = (news: boolean) => {
          wake = undefined;
          timer.cancel();
          resolve(news);
        };
        const timer = clock.setTimer(silenceMs, () => done(false));
        wake = () => done(true);
      }),
  };
}
