import type { Cli } from "./command.ts";
import { discoveryOf, type Part } from "./plan.ts";
import type { RunningPart } from "./run-file.ts";
import { type StartedPart, startPart } from "./start-part.ts";
import { stopParts } from "./stop-parts.ts";
import { type Failure, watchMesh, watchParts } from "./watch-start.ts";

/** How starting several parts went. Unless they are ready, none of them runs any more. */
export type StartOutcome =
  | { readonly kind: "ready"; readonly parts: readonly RunningPart[] }
  | { readonly kind: Failure };

/** Hears after each start who runs. */
export type OnStart = (started: readonly RunningPart[]) => void;

/**
 * Starts parts and tells of each as it turns ready. When one fails, or the user wants no more, all of them are stopped
 * again.
 */
export async function startTogether(cli: Cli, parts: readonly Part[], onStart: OnStart): Promise<StartOutcome> {
  const { out, clock, home } = cli;
  const since = clock.now();
  const started: StartedPart[] = [];
  const running = () => started.map((one) => one.running);
  out.line(`Starting ${parts.length === 1 ? "1 part" : `${parts.length} parts`}; logs are in ${home}/logs\n`);
  const start = (part: Part) => {
    const one = startAs(cli, part);
    started.push(one);
    onStart(running());
    return one;
  };
  try {
    const failure = (await startBatches(cli, { parts, start, since })) ?? (await watchMesh(cli, { started, since }));
    if (failure === undefined) return { kind: "ready", parts: running() };
    out.line(`\n${failure === "interrupted" ? "Interrupted. " : ""}Stopping what was started:\n`);
    await stopParts(running(), cli);
    return { kind: failure };
  } catch (reason) {
    await stopParts(running(), cli); // no more processes, no more disk: nothing is left half started
    throw reason;
  }
}

interface Batches {
  readonly parts: readonly Part[];
  readonly since: number;
  start(part: Part): StartedPart;
}

/** Discovery before the rest, so that nobody looks for it in vain and waits to look again; the rest at once. */
async function startBatches(cli: Cli, { parts, start, since }: Batches): Promise<Failure | undefined> {
  for (const isFirst of [true, false]) {
    const batch = parts.filter(({ stage }) => (stage === 0) === isFirst);
    if (cli.interrupted.aborted) return "interrupted";
    const failure = await watchParts(cli, { started: batch.map(start), since });
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function startAs({ plan, env, home, clock }: Cli, part: Part): StartedPart {
  return startPart(part, { env, home, discovery: discoveryOf(plan), now: clock.wall() });
}
