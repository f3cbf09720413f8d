/** The statements of one migration, told apart from those of others. */
export interface MigrationText {
  readonly name: string;
  readonly statements: readonly string[];
  /**
   * Why nobody needs any more what it takes away: the release whose programs did without it already. Without this, a
   * migration may only add.
   */
  readonly contract?: string | undefined;
}

/** A table's name, whatever quotes the database's dialect has around it. */
const name = '[`"]?([\\w.]+)[`"]?';
const creates = new RegExp(`^create table (?:if not exists )?${name}`, "i");
const addsIndex = new RegExp(`^create index (?:if not exists )?${name} on ${name}`, "i");
const addsUnique = new RegExp(`^create unique index (?:if not exists )?${name} on ${name}`, "i");
const alters = new RegExp(`^alter table (?:if exists )?${name} (.*)$`, "is");
const addsColumn = new RegExp(`^add (?:column )?(?!constraint\\b)${name} .+$`, "is");
const changesRows = /^(insert into|update|select) /i;

/**
 * What in a migration would break the programs of the release before, which go on reading and writing while replicas are
 * replaced one by one: it may add tables, indexes, and columns that are null or have a default. Each complaint says what
 * to do instead. Tables that the same migration creates are its own.
 */
export function migrationComplaints({ name: migration, statements, contract }: MigrationText): string[] {
  if (contract !== undefined) return [];
  const own = new Set(statements.flatMap((sql) => creates.exec(sql.trim())?.[1] ?? []));
  return statements.flatMap((statement) => {
    const sql = statement.trim();
    const advice = breaks(sql, own);
    return advice === undefined ? [] : [`${migration}: ${advice}: ${sql}`];
  });
}

function breaks(sql: string, own: ReadonlySet<string>): string | undefined {
  if (creates.test(sql) || addsIndex.test(sql) || changesRows.test(sql)) return undefined;
  const unique = addsUnique.exec(sql);
  if (unique) return own.has(unique[2] ?? "") ? undefined : "the release before may write what this index refuses";
  const [, table = "", change = ""] = alters.exec(sql) ?? [];
  if (table !== "" && own.has(table)) return undefined;
  if (!addsColumn.test(change)) return 'only add; what takes away says by `static contract = "…"` who stopped using it';
  const mayBeLeftOut = /\bdefault\b/i.test(change) || !/\bnot null\b/i.test(change);
  return mayBeLeftOut ? undefined : "the release before leaves this column out: let it be null or give it a default";
}
