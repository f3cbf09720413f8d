import { setTimeout as sleep } from "node:timers/promises";
import type { Replica } from "../../testing/replica.ts";

/** A watch over how long a replica lets the simplest question wait. */
export interface StallWatch {
  /** Ends the watch; resolves with the longest answer, in milliseconds. */
  end(): Promise<number>;
}

/** Asks a replica's page for machines again and again: what makes that slow is the machine, and not the mesh. */
export function watchStalls({ adminAddress }: Replica): StallWatch {
  let [on, longestMs] = [true, 0];
  const watching = (async () => {
    while (on) {
      const startedAt = performance.now();
      await (await fetch(`http://${adminAddress}/healthz`)).text();
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      await sleep(20);
    }
  })();
  return {
    async end() {
      on = false;
      await watching;
      return longestMs;
    },
  };
}
