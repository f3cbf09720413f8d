import { table } from "../table.ts";
import { type Figure, verdict } from "./figure.ts";
import type { Situation } from "./situation.ts";

/** What the page tells beside the situations. */
export interface PageInfo {
  /** When, where and by what command. */
  readonly written: string;
  /** What costs are measured at: lines beyond those of the situations. */
  readonly costs: readonly Figure[];
  /** Balancer, candidates, nanoseconds, bytes. */
  readonly picks: readonly (readonly string[])[];
}

/** All situations, as Markdown that reads well as plain text too; pictures lie beside it. */
export function page(situations: readonly Situation[], { written, costs, picks }: PageInfo): string {
  const figures = [...situations.flatMap((each) => each.figures), ...costs];
  return `${[
    "# What happens when",
    about(written),
    figureTable(figures),
    ...situations.map(section),
    `## Picks\n\n${table(["balancer", "endpoints", "ns a pick", "bytes a pick"], picks)}`,
  ].join("\n\n")}\n`;
}

/** The lines of what is to be reached. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.what,
    figure.simulated?.text ?? "",
    figure.real?.text ?? "",
    figure.toReach,
    verdict(figure),
  ]);
  return table(["situation", "simulated", "real", "to reach", ""], rows);
}

function about(written: string): string {
  return [
    written,
    "Calls come at fixed times, whatever becomes of those before, and what one took counts from when it was to be sent.",
    "Simulated: the real clients and servers on a virtual clock and network, seed 1: the same figures on any machine;",
    '"round robin" is this mesh with another balancer, for other clients do not run there. Real: a process for each',
    "server and each caller, callers on one CPU and servers on the other, peers two by two or all in the same moments. grpc-js has round",
    "robin, outlier detection each second, repeats and their throttling; nice-grpc round robin, repeats and a timeout for",
    "each attempt; connect-node, bare, a deadline and its transports in turn. The policy stack is simulated by sessions",
    "that answer at once, over a Connect client on such a session; its CPU is real.",
  ].join("\n");
}

function section({ name, title, about: what, columns, rows }: Situation): string {
  const told = rows.map(({ way, name: who, cells }) => [`${way}: ${who}`, ...cells]);
  return [`## ${title}`, what, `![${title}](${name}.svg)`, table(["", ...columns], told)].join("\n\n");
}
