import { relative } from "node:path";
import type { Cli } from "./command.ts";
import { discoveryOf, gatewayScheme, typed } from "./plan.ts";
import type { RunningPart } from "./run-file.ts";
import { table } from "./table.ts";
import { trialFacts, trials } from "./try-it.ts";

/** Shows where everything is. */
export function showWhere({ out, home, plan, env }: Cli, parts: readonly RunningPart[]): void {
  const inOrder = plan.flatMap(({ port }) => parts.filter((part) => part.port === port));
  const rows = inOrder.map(({ name, port, adminPort, pid }) => {
    const scheme = name === "gateway" ? gatewayScheme(env) : "http";
    return [name, `${scheme}://localhost:${port}`, `http://localhost:${adminPort}/metrics`, String(pid)];
  });
  const columns = [
    { title: "service" },
    { title: "address" },
    { title: "for machines" },
    { title: "pid", align: "right" },
  ] as const;
  out.line(`\n${table(columns, rows, { paint: out.paint })}`);
  out.line(`\n  data in ${nearby(home)}/data, logs in ${nearby(home)}/logs`);
}

/** Shows what to try, and how to go on. */
export async function showTrials({ out, plan, env }: Cli): Promise<void> {
  out.line("\nTry it:");
  for (const { about, command } of trials(await trialFacts(discoveryOf(plan), env))) {
    out.line(`\n  ${out.paint("dim", `# ${about}`)}\n  ${command}`);
  }
  out.line(`\nSee it: ${typed("status")}, ${typed("logs")}. Stop it: ${typed("down")}`);
}

/** A path as short as it can be said from here. */
function nearby(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}
