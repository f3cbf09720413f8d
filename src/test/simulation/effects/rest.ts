import { DatabaseSync } from "node:sqlite";
import type { ShopFiles } from "./files.ts";

/** Who hears all that a service publishes. */
const followings = [
  ["order", "user"],
  ["order", "catalog"],
  ["catalog", "order"],
] as const;

/** What is still under way in the databases of a world, in words; nothing, if all has come to its end. */
export function isAtRest(files: ShopFiles): string | undefined {
  const sagas = count(
    files.order,
    "select count(*) as n from order_sagas where state not in ('completed', 'compensated')",
  );
  if (sagas > 0) return `${sagas} sagas have not ended`;
  for (const name of ["user", "catalog", "order"] as const) {
    const unpublished = count(files[name], `select count(*) as n from ${name}_events where position is null`);
    if (unpublished > 0) return `${unpublished} events of ${name} are not published`;
    const parked = count(files[name], `select count(*) as n from ${name}_parked_events`);
    if (parked > 0) return `${parked} events are parked at ${name}`;
  }
  for (const [source, listener] of followings) {
    const told = count(files[source], `select count(*) as n from ${source}_events`);
    const heard = count(files[listener], `select count(*) as n from ${listener}_inbox where source = '${source}'`);
    if (heard < told) return `${listener} has heard ${heard} of ${told} events of ${source}`;
  }
  return undefined;
}

function count(file: string, sql: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(database.prepare(sql).get()?.n);
  } finally {
    database.close();
  }
}
