import { ensureKeys } from "../../security/token-service.ts";
import type { Cli, Command } from "../command.ts";
import { portComplaints } from "../free-ports.ts";
import { discoveryOf, keysFolder, type Part, typed, usesOwnKeys } from "../plan.ts";
import { isAlive, markOf } from "../process-mark.ts";
import { RunFile, type RunningPart, type RunState } from "../run-file.ts";
import { spellList } from "../spell.ts";
import { startTogether } from "../start-together.ts";
import { showTrials, showWhere } from "../welcome.ts";
import { status } from "./status.ts";

/** `heddle up`: the whole mesh as background processes. */
export const up: Command = {
  name: "up",
  about: "Start discovery, users, catalog, orders and gateway in the background",
  more:
    "What runs already is left alone; what has died is started again. When a part does not turn ready, everything\n" +
    "that this start has started is stopped again.",
  async run(cli) {
    const file = new RunFile(cli.home);
    const before = file.read();
    const others = busyStarter(before);
    if (others !== undefined) return busy(cli, others);
    const { alive, dead } = sorted(before);
    const missing = cli.plan.filter((part) => !alive.some((other) => other.port === part.port));
    if (missing.length === 0) return alreadyUp(cli);

    const claim: RunState = { starter: markOf(process.pid), parts: alive };
    if (before !== undefined) file.write(claim);
    else if (!file.claim(claim)) {
      const quicker = busyStarter(file.read());
      if (quicker !== undefined) return busy(cli, quicker);
      file.write(claim); // a file that cannot be understood: nothing is known of what it told
    }
    tellOfDead(cli, { alive, dead });
    return (await portsAreFree(cli, missing)) ? start(cli, { file, alive, missing }) : giveUp({ file, alive });
  },
};

interface Found {
  readonly alive: readonly RunningPart[];
  readonly dead: readonly RunningPart[];
}

function sorted(state: RunState | undefined): Found {
  const parts = (state?.parts ?? []).map((part) => ({ part, lives: isAlive(part) }));
  const which = (lives: boolean) => parts.filter((entry) => entry.lives === lives).map(({ part }) => part);
  return { alive: which(true), dead: which(false) };
}

/** The process of another `up` that has not finished. */
function busyStarter(state: RunState | undefined): number | undefined {
  return state?.starter && isAlive(state.starter) ? state.starter.pid : undefined;
}

function busy({ out }: Cli, pid: number): number {
  out.line(`Another start is under way: process ${pid}. Wait for it, or stop everything: ${typed("down")}`);
  return 1;
}

async function alreadyUp(cli: Cli): Promise<number> {
  cli.out.line("Heddle is up already; nothing was started.\n");
  await status.run({ ...cli, discovery: discoveryOf(cli.plan) }, { flags: {}, words: [] });
  await showTrials(cli);
  return 0;
}

function tellOfDead({ out }: Cli, { alive, dead }: Found): void {
  if (dead.length === 0) return;
  if (alive.length === 0) return out.line(`The last run ended without ${typed("down")}.\n`);
  const who = spellList(dead.map(({ name, port, pid }) => `${name} on port ${port} (process ${pid})`));
  out.line(`${out.paint("warn", "Died since the last start:")} ${who}. The rest runs and is left alone.\n`);
}

async function portsAreFree({ out }: Cli, parts: readonly Part[]): Promise<boolean> {
  const complaints = await portComplaints(parts);
  if (complaints.length === 0) return true;
  for (const complaint of complaints) out.line(`${out.paint("bad", "cannot start:")} ${complaint}`);
  out.line("\nNothing was started. Free the ports and try again.");
  return false;
}

interface Start {
  readonly file: RunFile;
  readonly alive: readonly RunningPart[];
}

/** Leaves the run file as if this start had never been. */
function giveUp({ file, alive }: Start): number {
  if (alive.length > 0) file.write({ parts: alive });
  else file.remove();
  return 1;
}

async function start(cli: Cli, { file, alive, missing }: Start & { readonly missing: readonly Part[] }) {
  if (usesOwnKeys(cli.env)) await ensureKeys({ folder: keysFolder(cli.home), clock: cli.clock });
  const starter = markOf(process.pid);
  const onStart = (started: readonly RunningPart[]) => file.write({ starter, parts: [...alive, ...started] });
  const outcome = await startTogether(cli, missing, onStart);
  if (outcome.kind !== "ready") {
    giveUp({ file, alive });
    return outcome.kind === "interrupted" ? 130 : 1;
  }
  const parts = [...alive, ...outcome.parts];
  file.write({ parts });
  showWhere(cli, parts);
  await showTrials(cli);
  return 0;
}
