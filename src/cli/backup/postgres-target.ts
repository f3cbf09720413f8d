import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { type Clock, systemClock } from "../../base/clock.ts";
import { openPostgresSql } from "../databases/postgres-snapshot.ts";
import type { Row } from "../databases/snapshot.ts";
import { BackupError } from "./backup-error.ts";
import { type PostgresPlace, sqlOfDump, startTool, type Tool, type ToolEnv } from "./postgres-tools.ts";
import type { RestoreTarget, Restoring } from "./restore-target.ts";
import { notEmpty } from "./sqlite-target.ts";

/** How long sessions of a service that has just ended may still be shown, in milliseconds. */
const goneMs = 3_000;
/** The advisory lock that replicas take while they migrate: who starts meanwhile waits. */
const migrating = 7221;
const done = "heddle: restored";

const sessionsSql = `select coalesce(nullif(application_name, ''), 'a session') || ' from ' || coalesce(client_addr::text, 'here') as who
  from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;

/**
 * A PostgreSQL database as the target of a restore: what was there goes and what comes is there in one transaction, which stays
 * open until all targets are ready.
 */
export class PostgresTarget implements RestoreTarget {
  readonly #place: PostgresPlace;
  readonly #restoring: Restoring;
  readonly #env: ToolEnv;
  readonly #clock: Clock;
  #tables: readonly string[] = [];
  #psql: Tool | undefined;

  constructor(place: PostgresPlace, restoring: Restoring, env: ToolEnv, clock: Clock = systemClock) {
    this.#place = place;
    this.#restoring = restoring;
    this.#env = env;
    this.#clock = clock;
  }

  async claim({ force }: { readonly force: boolean }): Promise<void> {
    await using sql = await openPostgresSql(this.#place);
    const all = (query: string) => sql.connection.execute<Row[]>(query, [], "all");
    await this.#alone(all);
    this.#tables = (await all("select tablename as name from pg_tables where schemaname = 'public'")).map(({ name }) =>
      String(name),
    );
    const full: string[] = [];
    for (const table of this.#tables.filter((name) => !name.endsWith("_migrations"))) {
      if ((await all(`select 1 as one from public."${table}" limit 1`)).length > 0) full.push(table);
    }
    if (full.length > 0 && !force) throw notEmpty(this.#place.shown, full);
  }

  async prepare(): Promise<void> {
    const psql = startTool("psql", ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"], this.#env, this.#place);
    this.#psql = psql;
    psql.ended.catch(() => {}); // told below, or when it is committed
    psql.stdin.write(
      `begin;\nset local lock_timeout = '10s';\nselect 1 from pg_advisory_xact_lock(${migrating}) \\g /dev/null\n`,
    );
    for (const table of this.#tables) psql.stdin.write(`drop table if exists public."${table}" cascade;\n`);
    const isDone = this.#hears(psql, done);
    await Promise.race([
      psql.ended,
      sqlOfDump(this.#restoring.file, this.#env, (sql) => pipeline(sql, psql.stdin, { end: false })),
    ]);
    for (const sql of this.#restoring.afterwards) psql.stdin.write(`${sql};\n`);
    psql.stdin.write(`\\echo ${done}\n`);
    await isDone;
  }

  async commit(): Promise<void> {
    this.#psql?.stdin.end("commit;\n");
    await this.#psql?.ended;
    this.#psql = undefined;
  }

  async undo(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#psql?.kill(); // the server takes back what was not committed
    await this.#psql?.ended.catch(() => {});
  }

  async #alone(all: (query: string) => Promise<readonly Row[]>): Promise<void> {
    const giveUpAt = this.#clock.now() + goneMs;
    for (;;) {
      const others = await all(sessionsSql);
      if (others.length === 0) return;
      if (this.#clock.now() >= giveUpAt) {
        const who = [...new Set(others.map(({ who }) => who))].join(", ");
        throw new BackupError(
          "IN_USE",
          `${this.#place.shown} has ${others.length} other sessions (${who}): stop the services first`,
        );
      }
      await this.#clock.sleep(100);
    }
  }

  async #hears(psql: Tool, words: string): Promise<void> {
    let heard = "";
    psql.stdout.on("data", (piece: Buffer) => (heard = (heard + piece.toString()).slice(-1_000)));
    while (!heard.includes(words))
      await Promise.race([once(psql.stdout, "data"), psql.ended.then(() => Promise.reject(ended()))]);
  }
}

const ended = () => new Error("psql ended before all was restored");
