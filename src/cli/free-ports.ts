import { portInUse } from "../wire/probe.ts";
import { host, type Part } from "./plan.ts";
import { portHolder } from "./port-holder.ts";

/** What stands in the way of a start: a sentence for each port that somebody else uses. */
export async function portComplaints(parts: readonly Part[]): Promise<string[]> {
  const needed = parts.flatMap(({ name, port, adminPort }) => [
    { port, by: name },
    { port: adminPort, by: `the machine pages of ${name}` },
  ]);
  const complaints = await Promise.all(needed.map(complaint));
  return complaints.filter((line) => line !== undefined);
}

async function complaint({ port, by }: { readonly port: number; readonly by: string }): Promise<string | undefined> {
  if (!(await portInUse(host, port))) return undefined;
  const holder = portHolder(port);
  const who = holder ? ` by process ${holder.pid} (${shortened(holder.command)})` : "";
  return `port ${port}, needed for ${by}, is in use${who}`;
}

const shortened = (command: string) => (command.length > 80 ? `${command.slice(0, 79)}…` : command);
