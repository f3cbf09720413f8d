import { linkSignals } from "../base/signals.ts";
import type { Cli } from "./command.ts";
import { LogFile } from "./log-file.ts";
import { spellLine } from "./log-line.ts";
import { unseen } from "./mesh-health.ts";
import type { Part } from "./plan.ts";
import { patienceMs, readiness, until, type WaitOptions } from "./ready.ts";
import { spellList, spellMs } from "./spell.ts";
import type { StartedPart } from "./start-part.ts";

/** Why a start did not come to its end. */
export type Failure = "failed" | "interrupted";

/** How many lines of a log are shown when its part fails. */
const shownLines = 12;

/** A start that is watched: who was started, and since when `up` has been at it, in milliseconds since the epoch. */
export interface Watched {
  readonly started: readonly StartedPart[];
  readonly since: number;
}

/** Watches parts and tells of each, until all are ready, or something comes between. */
export async function watchParts(cli: Cli, { started, since }: Watched): Promise<Failure | undefined> {
  using link = linkSignals(cli.interrupted);
  const wait = { clock: cli.clock, signal: link.signal };
  const ready = await Promise.all(
    started.map(async (one) => {
      const isReady = await turnsReady(cli, one, { ...wait, since });
      if (!isReady) link.abort(new Error("one that fails ends the wait for all"));
      return isReady;
    }),
  );
  if (cli.interrupted.aborted) return "interrupted";
  return ready.includes(false) ? "failed" : undefined;
}

/** Watches parts that are ready until all of the mesh see each other, or something comes between. */
export async function watchMesh(cli: Cli, { started, since }: Watched): Promise<Failure | undefined> {
  using link = linkSignals(cli.interrupted);
  const broken = Promise.race(started.map(async (one) => ({ one, why: await one.ended })));
  const first = await Promise.race([notSeen(cli.plan, { clock: cli.clock, signal: link.signal }), broken]);
  link.abort(new Error("the answer is known"));
  if (cli.interrupted.aborted) return "interrupted";
  if ("missing" in first) return tellOfMesh(cli, first.missing, since);
  tellOfFailure(cli, first.one, first.why);
  return "failed";
}

/** Waits for a part and tells what became of it; silent when the wait was given up. */
async function turnsReady(cli: Cli, one: StartedPart, wait: WaitOptions & Pick<Watched, "since">): Promise<boolean> {
  const outcome = await readiness(one, wait);
  const { name, port } = one.part;
  if (outcome.kind === "ready")
    tell(cli, "ready", `${name.padEnd(9)}  :${port}  ${spellMs(cli.clock.now() - wait.since)}`);
  if (outcome.kind === "failed") tellOfFailure(cli, one, outcome.why);
  return outcome.kind === "ready";
}

/** Waits until every part is seen by all. Resolves with those that are not when patience ends. */
async function notSeen(plan: readonly Part[], wait: WaitOptions): Promise<{ readonly missing: readonly Part[] }> {
  let missing = plan;
  await until(async () => {
    missing = await unseen(plan);
    return missing.length === 0;
  }, wait);
  return { missing };
}

function tellOfMesh(cli: Cli, missing: readonly Part[], since: number): Failure | undefined {
  if (missing.length === 0) {
    tell(cli, "ready", `${"the mesh".padEnd(16)}  ${spellMs(cli.clock.now() - since)}`);
    return undefined;
  }
  const who = spellList(missing.map(({ name, port }) => `${name} on port ${port}`));
  tell(cli, "failed", `discovery and gateway do not see ${who} after ${patienceMs / 1_000} s`);
  return "failed";
}

/** Tells what became of a part, with the last lines of its log. */
function tellOfFailure(cli: Cli, { part, running, logStart }: StartedPart, why: string): void {
  const { line, paint } = cli.out;
  tell(cli, "failed", `${part.name.padEnd(9)}  :${part.port}  ${why}`);
  const log = new LogFile(running.log, part.name, logStart).read({ all: true });
  if (log.length === 0) return line(`\n  It has written nothing to ${running.log}`);
  line(`\n  The end of ${running.log}:\n`);
  for (const said of log.slice(-shownLines))
    line(`    ${said.plain ? said.message : spellLine(said, { paint, width: 0 })}`);
}

function tell({ out }: Cli, word: "ready" | "failed", rest: string): void {
  out.line(`  ${out.paint(word === "ready" ? "good" : "bad", word.padEnd(6))}  ${rest}`);
}
