import { messageOf } from "../../base/message-of.ts";
import type { Cli, Command } from "../command.ts";
import { callsOf, type InstanceView, listInstances } from "../instances.ts";
import { host, typed } from "../plan.ts";
import { isAlive } from "../process-mark.ts";
import { RunFile, type RunningPart } from "../run-file.ts";
import { spellMs } from "../spell.ts";
import { type Cell, type Column, table } from "../table.ts";

/** `heddle status`: every instance, its health and its calls. */
export const status: Command = {
  name: "status",
  about: "Show every instance, its health and its calls",
  more: "Ends with status 1 when something is not healthy, or nothing runs.",
  options: { json: { type: "boolean", about: "for machines" } },
  async run(cli, { flags }) {
    const found = await look(cli);
    if (flags.json) cli.out.line(JSON.stringify({ ok: isWell(found), ...found }, null, 2));
    else show(cli, found);
    return isWell(found) ? 0 : 1;
  },
};

/** A part of the run file beside what has become of it. */
interface PartView {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
  readonly alive: boolean;
}

interface Found {
  readonly instances: readonly (InstanceView & {
    readonly pid: number | undefined;
    readonly calls: number | undefined;
  })[];
  readonly parts: readonly PartView[];
  /** Why discovery does not answer; unset when it does. */
  readonly problem?: string;
}

async function look({ home, discovery }: Cli): Promise<Found> {
  const started = new RunFile(home).read()?.parts ?? [];
  const parts = started.map(partView);
  const pids = new Map(parts.filter((part) => part.alive).map((part) => [part.address, part.pid]));
  try {
    const instances = await listInstances(discovery);
    const calls = await Promise.all(instances.map(callsOf));
    const withMore = instances.map((instance, at) => {
      return { ...instance, pid: pids.get(instance.address), calls: calls[at] };
    });
    const order = new Intl.Collator("en", { numeric: true });
    withMore.sort((a, b) => order.compare(a.name, b.name) || order.compare(a.address, b.address));
    return { instances: withMore, parts };
  } catch (reason) {
    return { instances: [], parts, problem: messageOf(reason) };
  }
}

function partView(part: RunningPart): PartView {
  return { name: part.name, address: `${host}:${part.port}`, pid: part.pid, alive: isAlive(part) };
}

function isWell({ instances, parts, problem }: Found): boolean {
  if (problem !== undefined || instances.length === 0) return false;
  return instances.every(({ health }) => health === "healthy") && parts.every(({ alive }) => alive);
}

function show(cli: Cli, found: Found): void {
  const { out, discovery } = cli;
  const dead = found.parts.filter((part) => !part.alive);
  if (found.problem !== undefined && dead.length === found.parts.length) {
    out.line(`Nothing runs (there is no discovery at ${discovery}). Start it: ${typed("up")}`);
    return;
  }
  if (found.problem !== undefined) {
    out.line(`${out.paint("bad", "Discovery does not answer")} at ${discovery}: ${found.problem}`);
    out.line(`What was started:\n\n${partTable(cli, found.parts)}`);
    if (dead.length > 0) out.line(`\nStart again what has died: ${typed("up")}`);
    return;
  }
  out.line(instanceTable(cli, found.instances));
  for (const { name, address, health, reason } of found.instances) {
    if (health !== "healthy") out.line(`\n  ${name} at ${address} is ${out.paint("bad", health)}: ${reason}`);
  }
  for (const { name, address, pid } of dead) {
    const word = out.paint("bad", "has died");
    out.line(`\n  ${name} at ${address}, process ${pid}, ${word}. Why: ${why(name)}; start it again: ${typed("up")}`);
  }
}

const why = (name: string) => (typed("logs").startsWith("make") ? `make logs ARGS=${name}` : `npx heddle logs ${name}`);

const columns: readonly Column[] = [
  { title: "service" },
  { title: "address" },
  { title: "pid", align: "right" },
  { title: "health" },
  { title: "version" },
  { title: "zone" },
  { title: "since", align: "right" },
  { title: "calls", align: "right" },
];

function instanceTable({ out, clock }: Cli, instances: Found["instances"]): string {
  const shown = columns.filter(({ title }) => title !== "zone" || instances.some(({ zone }) => zone !== ""));
  const rows = instances.map((instance) => {
    const { name, address, pid, health, version, zone, registeredAt, calls } = instance;
    const cells: Readonly<Record<string, Cell>> = {
      service: name,
      address,
      pid: String(pid ?? "-"),
      health: { text: health, tone: health === "healthy" ? "good" : "bad" },
      version: version || "-",
      zone: zone || "-",
      since: registeredAt === undefined ? "-" : spellMs(clock.wall() - registeredAt),
      calls: String(calls ?? "-"),
    };
    return shown.map(({ title }) => cells[title] ?? "");
  });
  return table(shown, rows, { paint: out.paint });
}

function partTable({ out }: Cli, parts: readonly PartView[]): string {
  const rows = parts.map(({ name, address, pid, alive }): Cell[] => {
    return [name, address, String(pid), alive ? { text: "runs", tone: "good" } : { text: "has died", tone: "bad" }];
  });
  return table([{ title: "part" }, { title: "address" }, { title: "pid", align: "right" }, { title: "" }], rows, {
    paint: out.paint,
  });
}
