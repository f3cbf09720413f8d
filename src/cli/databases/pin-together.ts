import { type Clock, systemClock } from "../../base/clock.ts";
import { type Holdable, type Snapshot, StillBusy } from "./snapshot.ts";

/** How long to wait for those who write. */
export interface PinOptions {
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

/** The first waits are so short that PostgreSQL takes nobody for deadlocked; a later one is long enough to stop a vacuum. */
const waitsMs = [250, 250, 500, 2_500];

/**
 * A snapshot of each database, all of the same instant: for that instant nobody writes to any of them.
 *
 * Services tell each other of what they have committed, so a snapshot of one database that is later than that of another
 * could hold an effect whose cause the other does not know.
 */
export async function pinTogether<S extends Snapshot>(
  holdables: readonly Holdable<S>[],
  { timeoutMs = 30_000, clock = systemClock }: PinOptions = {},
): Promise<readonly S[]> {
  const giveUpAt = clock.now() + timeoutMs;
  for (let attempt = 0; ; attempt++) {
    try {
      const waitMs = waitsMs[attempt % waitsMs.length] ?? 0;
      for (const holdable of holdables) await holdable.hold(waitMs);
      return await Promise.all(holdables.map((holdable) => holdable.pin()));
    } catch (reason) {
      if (!(reason instanceof StillBusy) || clock.now() >= giveUpAt) throw reason;
    } finally {
      await Promise.all(holdables.map((holdable) => holdable.release()));
    }
    await clock.sleep(100);
  }
}
