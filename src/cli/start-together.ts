import type { Cli } from "./command.ts";
import { discoveryOf, type Part } from "./plan.ts";
import type { RunningPart } from "./run-file.ts";
import { type StartedPart, startPart } from "./start-part.ts";
import { stopParts } from "./stop-parts.ts";
import { type Failure, watchStart } from "./watch-start.ts";

/** How starting several parts went. Unless they are ready, none of them runs any more. */
export type StartOutcome =
  | { readonly kind: "ready"; readonly parts: readonly RunningPart[] }
  | { readonly kind: Failure };

/**
 * Starts parts at once (each finds the others by itself) and tells of each as it turns ready. When one fails, or the
 * user wants no more, all of them are stopped again. `onStart` hears after each start who runs.
 */
export async function startTogether(
  cli: Cli,
  parts: readonly Part[],
  onStart: (started: readonly RunningPart[]) => void,
): Promise<StartOutcome> {
  const { out, clock, plan, env, home, interrupted } = cli;
  const since = clock.now();
  const started: StartedPart[] = [];
  const running = () => started.map((one) => one.running);
  out.line(`Starting ${parts.length === 1 ? "1 part" : `${parts.length} parts`}; logs are in ${home}/logs\n`);
  try {
    for (const part of parts) {
      if (interrupted.aborted) break;
      started.push(startPart(part, { env, home, discovery: discoveryOf(plan), now: clock.now() }));
      onStart(running());
    }
  } catch (reason) {
    await stopParts(running(), cli); // no more processes, no more disk: nothing is left half started
    throw reason;
  }
  const failure = await watchStart(cli, started, since);
  if (failure === undefined) return { kind: "ready", parts: running() };
  out.line(`\n${failure === "interrupted" ? "Interrupted. " : ""}Stopping what was started:\n`);
  await stopParts(running(), cli);
  return { kind: failure };
}
