import type { PostgresSnapshot } from "../databases/postgres-snapshot.ts";
import { BackupError } from "./backup-error.ts";
import { type PostgresPlace, runTool, sqlOfDump, type ToolEnv } from "./postgres-tools.ts";

/** Dumps a database as its snapshot sees it, while others write. */
export async function dumpPostgres(
  place: PostgresPlace,
  { snapshot, file, env }: { readonly snapshot: PostgresSnapshot; readonly file: string; readonly env: ToolEnv },
): Promise<void> {
  const args = ["--format=custom", "--no-owner", "--no-privileges", `--snapshot=${snapshot.id}`, `--file=${file}`];
  await runTool("pg_dump", args, env, place);
}

/** How many rows each table of a dump has: reads it to its end, so a dump that is damaged anywhere is found. */
export async function rowsOfDump(file: string, env: ToolEnv): Promise<Readonly<Record<string, number>>> {
  const rows: Record<string, number> = {};
  let table: string | undefined;
  try {
    await sqlOfDump(file, env, async (sql) => {
      for await (const line of linesOf(sql)) {
        if (table === undefined) table = /^COPY public\.("?)(\w+)\1 .*FROM stdin;$/.exec(line)?.[2];
        else if (line === "\\.") table = undefined;
        else rows[table] = (rows[table] ?? 0) + 1;
        if (table !== undefined) rows[table] ??= 0;
      }
    });
  } catch (reason) {
    if (reason instanceof BackupError) throw reason;
    throw new BackupError("FILE_CORRUPT", `${file} is no dump that pg_restore can read: ${String(reason)}`, {
      cause: reason,
    });
  }
  return rows;
}

async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece.toString("latin1")).split("\n"); // only what is ASCII is looked at
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
