import type { Client } from "@connectrpc/connect";
import type { EventService } from "../../../gen/heddle/event/v1/event_service_pb.ts";
import type { Clock } from "../../base/clock.ts";

/** Longer than it takes to send events and to give them their positions: what takes longer fails, and is sent again. */
const settleMs = 20_000;
const pollMs = 500;

/** What asking takes. */
export interface SettledEndOptions {
  readonly client: Pick<Client<typeof EventService>, "getEventLog">;
  readonly clock: Clock;
  /** All that a broker had by then is to be before the end; by the even clock. */
  readonly since: number;
  readonly signal: AbortSignal;
}

/**
 * Where a log ends that has all in it that a broker was sent until `since`. A publisher sends events first, and gives them their
 * positions when the broker has confirmed them: what is on its way lies beyond the end that the log tells meanwhile. So this
 * waits until nothing is on its way, or nothing can be any more that was then.
 */
export async function settledEnd({ client, clock, since, signal }: SettledEndOptions): Promise<bigint> {
  for (;;) {
    const isOver = clock.now() - since >= settleMs;
    const { backlog, endPosition } = await client.getEventLog({}, { signal });
    if (backlog === 0n || isOver) return endPosition;
    await clock.sleep(pollMs, signal);
  }
}
