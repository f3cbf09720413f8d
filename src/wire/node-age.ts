import type { ServerHttp2Session } from "node:http2";
import { systemClock, type Timer } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import type { ListenOptions } from "./engine.ts";
import { agedAt } from "./wear.ts";

/** Sees to it that a served connection of Node's does not grow older than the options say. Idle ones are their clients' to close. */
export function limitAge(session: ServerHttp2Session, options: ListenOptions): void {
  const { maxAgeMs = 600_000, ageGraceMs = 30_000 } = options;
  let timer: Timer = systemClock.setTimer(agedAt(0, maxAgeMs, systemRandom), () => {
    timer = systemClock.setTimer(ageGraceMs, () => session.destroy());
    session.close(); // asks the peer to begin nothing more, and ends it when what it carries has ended
  });
  session.once("close", () => timer.cancel());
}
