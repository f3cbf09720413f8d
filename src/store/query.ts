import { type SqlEntityManager, SqlitePlatform } from "@mikro-orm/sql";
import { CompiledQuery } from "kysely";
import { nulState } from "./errors.ts";
import { postgresSession } from "./postgres.ts";

/** What a statement's question marks may stand for. */
export type Parameter = string | number | bigint | Date | Uint8Array | null;

/** What a statement came to. */
export interface Answer<Row> {
  /** Rows that were selected or returned, columns as the database calls them. */
  readonly rows: readonly Row[];
  /** Rows that were inserted, updated or deleted. */
  readonly affected: number;
}

/**
 * Runs one statement, its parameters beside it as question marks, in the transaction of `em` if there is one.
 *
 * For the few places where thousands of rows pass in a second: it costs a tenth of what an entity or a query builder does, as
 * nothing is built and the statement's text stays the same. Text with U+0000 is the caller's to refuse.
 */
export async function query<Row>(
  em: SqlEntityManager,
  sql: string,
  parameters: readonly Parameter[] = [],
): Promise<Answer<Row>> {
  if (em.getPlatform() instanceof SqlitePlatform) return run(em, CompiledQuery.raw(sql, parameters.map(asSqlite)));
  const session = await postgresSession(em);
  if (session === undefined) return run(em, CompiledQuery.raw(numbered(sql), [...parameters]));
  const { rows, rowCount } = await session.ask(numbered(sql), parameters);
  return { rows: rows as readonly Row[], affected: rowCount ?? 0 };
}

/**
 * Runs one statement in the transaction of `em`, whose answer nobody needs. On PostgreSQL it travels with whatever is asked next,
 * or with the commit, and where it fails those fail by its error: a round trip less for each.
 */
export async function queryLater(
  em: SqlEntityManager,
  sql: string,
  parameters: readonly Parameter[] = [],
): Promise<void> {
  const session = em.getPlatform() instanceof SqlitePlatform ? undefined : await postgresSession(em);
  if (session === undefined) await query(em, sql, parameters);
  else session.askLater(numbered(sql), parameters);
}

async function run<Row>(em: SqlEntityManager, compiled: CompiledQuery): Promise<Answer<Row>> {
  const { rows, numAffectedRows } = await em.getKysely().executeQuery<Row>(compiled as CompiledQuery<Row>);
  return { rows, affected: Number(numAffectedRows ?? 0n) };
}

/** The text, unless U+0000 is in it: that is refused as MikroORM's statements refuse it, for the databases differ there. */
export function storable(text: string): string {
  if (text.includes("\0")) throw Object.assign(new Error("text with U+0000"), { code: nulState });
  return text;
}

/**
 * What a question mark stands for in a statement that is to have many texts at once: a table of them, in their order, in the
 * column `value`; its parameter is `textsParameter`. However many there are, the statement's text stays the same.
 */
export function textsTable(em: SqlEntityManager): string {
  return em.getPlatform() instanceof SqlitePlatform ? "json_each(?)" : "json_array_elements_text(?::json) as value";
}

/** The parameter of `textsTable`. */
export function textsParameter(texts: readonly string[]): string {
  return JSON.stringify(texts.map((text) => text.toWellFormed()));
}

/** The value of a column of dates in milliseconds: SQLite keeps it as a number, PostgreSQL answers with text. */
export function wallOf(value: number | string | Date): number {
  return typeof value === "number" ? value : new Date(value).getTime();
}

function asSqlite(value: Parameter): Exclude<Parameter, Date> {
  return value instanceof Date ? value.getTime() : value;
}

const statements = new Map<string, string>();
const maxStatements = 1_000;

/** The same statement with `$1`, `$2`, … as PostgreSQL wants them. */
function numbered(sql: string): string {
  if (!sql.includes("?")) return sql;
  const known = statements.get(sql);
  if (known !== undefined) return known;
  let count = 0;
  const statement = sql.replaceAll("?", () => `$${++count}`);
  if (statements.size >= maxStatements) statements.clear();
  statements.set(sql, statement);
  return statement;
}
