import type { Clock } from "../base/clock.ts";
import type { Paint } from "./paint.ts";
import { isAlive, signalTo } from "./process-mark.ts";
import type { RunningPart } from "./run-file.ts";
import type { Screen } from "./screen.ts";
import { spellMs } from "./spell.ts";

/** How long a part may take to end by itself: its drain of 10 s, and some air. */
export const graceMs = 15_000;

/** Between two looks. */
const pauseMs = 50;

/** What stopping needs. */
export interface StopOptions {
  readonly clock: Clock;
  readonly out: Screen;
}

/**
 * Stops parts and waits until they are gone: those in front first, so that nobody is called who is leaving. A part
 * that does not end by itself in time is killed, and that is said.
 */
export async function stopParts(parts: readonly RunningPart[], options: StopOptions): Promise<void> {
  const stages = [...new Set(parts.map((part) => part.stage))].sort((a, b) => b - a);
  for (const stage of stages) {
    await Promise.all(parts.filter((part) => part.stage === stage).map((part) => stopPart(part, options)));
  }
}

async function stopPart(part: RunningPart, { clock, out }: StopOptions): Promise<void> {
  const since = clock.now();
  if (!signalTo(part, "SIGTERM")) return out.line(stopLine(part, { paint: out.paint, how: "had ended already" }));
  while (isAlive(part) && clock.now() - since < graceMs) await clock.sleep(pauseMs);
  const killed = signalTo(part, "SIGKILL");
  while (isAlive(part)) await clock.sleep(pauseMs);
  const took = spellMs(clock.now() - since);
  const how = killed ? `did not end within ${graceMs / 1_000} s and was killed` : took;
  out.line(stopLine(part, { paint: out.paint, how, killed }));
}

interface StopLine {
  readonly paint: Paint;
  readonly how: string;
  readonly killed?: boolean;
}

function stopLine({ name, port }: RunningPart, { paint, how, killed = false }: StopLine): string {
  const word = killed ? paint("warn", "killed ") : "stopped";
  return `  ${word}  ${name.padEnd(9)}  :${port}  ${how}`;
}
