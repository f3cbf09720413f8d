import { linkSignals } from "../base/signals.ts";
import type { Cli } from "./command.ts";
import { LogFile } from "./log-file.ts";
import { spellLine } from "./log-line.ts";
import { meshIsWhole } from "./mesh-health.ts";
import { discoveryOf, type Part } from "./plan.ts";
import { type Readiness, readiness, until } from "./ready.ts";
import type { RunningPart } from "./run-file.ts";
import { spellMs } from "./spell.ts";
import { type StartedPart, startPart } from "./start-part.ts";
import { stopParts } from "./stop-parts.ts";

/** How starting several parts went. Unless they are ready, none of them runs any more. */
export type StartOutcome =
  | { readonly kind: "ready"; readonly parts: readonly RunningPart[] }
  | { readonly kind: "failed" }
  | { readonly kind: "interrupted" };

/** How many lines of a log are shown when its part fails. */
const shownLines = 12;

/**
 * Starts parts at once (each finds the others by itself) and tells of each as it turns ready. When one fails, or the
 * user wants no more, all of them are stopped again. `onStart` hears after each start who runs.
 */
export async function startTogether(
  cli: Cli,
  parts: readonly Part[],
  onStart: (started: readonly RunningPart[]) => void,
): Promise<StartOutcome> {
  const { out, clock, interrupted } = cli;
  const since = clock.now();
  const started: StartedPart[] = [];
  out.line(`Starting ${parts.length === 1 ? "1 part" : `${parts.length} parts`}; logs are in ${cli.home}/logs\n`);
  for (const part of parts) {
    if (interrupted.aborted) break;
    started.push(startPart(part, { env: cli.env, home: cli.home, discovery: discoveryOf(cli.plan), now: clock.now() }));
    onStart(started.map(({ running }) => running));
  }
  const failure = interrupted.aborted ? "interrupted" : await watch(cli, started, since);
  if (failure === undefined) return { kind: "ready", parts: started.map(({ running }) => running) };
  out.line(
    failure === "interrupted" ? "\nInterrupted. Stopping what was started:\n" : "\nStopping what was started:\n",
  );
  await stopParts(
    started.map(({ running }) => running),
    cli,
  );
  return { kind: failure };
}

/** Watches parts until all are ready and the mesh is whole; otherwise resolves with what came between. */
async function watch(
  cli: Cli,
  started: readonly StartedPart[],
  since: number,
): Promise<"failed" | "interrupted" | undefined> {
  const { out, clock, interrupted } = cli;
  using link = linkSignals(interrupted);
  const wait = { clock, signal: link.signal };
  try {
    await Promise.all(started.map((one) => turnsReady(cli, { one, wait, giveUp: link.abort })));
    const whole = until(() => meshIsWhole(cli.plan), wait);
    const broken = Promise.race(started.map(async (one) => ({ one, why: await one.ended })));
    const first = await Promise.race([whole, broken]);
    if (typeof first === "object") {
      fail(cli, { one: first.one, why: first.why });
      return "failed";
    }
    if (interrupted.aborted) return "interrupted";
    if (!first) out.line(`  ${out.paint("bad", "failed")}  the parts run, but do not all see each other`);
    else out.line(`  ${out.paint("good", "ready ")}  ${"the mesh".padEnd(16)}  ${spellMs(clock.now() - since)}`);
    return first ? undefined : "failed";
  } catch {
    return interrupted.aborted ? "interrupted" : "failed"; // told by the part that failed
  }
}

interface Watched {
  readonly one: StartedPart;
  readonly wait: Parameters<typeof readiness>[1];
  giveUp(reason: unknown): void;
}

/** Tells when a part is ready. One that fails is told of, and the wait for the others is given up. */
async function turnsReady(cli: Cli, { one, wait, giveUp }: Watched): Promise<void> {
  const outcome: Readiness = await readiness(one, wait);
  const { paint, line } = cli.out;
  const { name, port } = one.part;
  if (outcome.kind === "ready") {
    line(`  ${paint("good", "ready ")}  ${name.padEnd(9)}  :${port}  ${spellMs(outcome.tookMs)}`);
    return;
  }
  const failure = new Error(`${name} on port ${port} ${outcome.why}`);
  if (!wait.signal.aborted) fail(cli, { one, why: outcome.why });
  giveUp(failure);
  throw failure;
}

/** Tells what became of a part, with the last lines of its log. */
function fail({ out }: Cli, { one, why }: { readonly one: StartedPart; readonly why: string }): void {
  const { part, running, logStart } = one;
  out.line(`  ${out.paint("bad", "failed")}  ${part.name.padEnd(9)}  :${part.port}  ${why}`);
  const source = `${part.name}-${part.port}`;
  const lines = new LogFile(running.log, source, logStart).read({ all: true }).slice(-shownLines);
  if (lines.length === 0) return out.line(`\n  It has written nothing to ${running.log}`);
  out.line(`\n  The end of ${running.log}:\n`);
  for (const line of lines) {
    out.line(`    ${line.plain ? line.message : spellLine(line, { paint: out.paint, width: 0 })}`);
  }
}
