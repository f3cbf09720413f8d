import type { Column, KnownStatement, PreparedStatements } from "./prepared-statements.ts";

/** What a statement may be given: text as PostgreSQL reads it, bytes, or NULL. */
export type Value = string | Buffer | null;

/** One statement and its values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly Value[];
}

/** What came of one statement. */
export interface StatementResult {
  /** The first word of what the server says was done: "INSERT". */
  readonly command: string | null;
  readonly rowCount: number | null;
  readonly rows: readonly unknown[];
}

/** The parts of `pg`'s connection that send, of which `pg-cursor`, too, makes its own kind of query. */
export interface BatchConnection {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { readonly name: string; readonly text: string }): void;
  bind(message: { readonly statement: string; readonly values: readonly Value[] }): void;
  describe(message: { readonly type: "P"; readonly name: "" }): void;
  execute(message: { readonly portal: "" }): void;
  sync(): void;
}

/** A column of an answer, as the server describes it. */
export interface Field {
  readonly name: string;
  readonly dataTypeID: number;
  readonly format: string;
}

/** How the text of a column becomes a value: `pg`'s client. */
export interface Types {
  getTypeParser(type: number, format: string): (text: string) => unknown;
}

/** A statement on its way. */
interface Sent extends Statement {
  readonly known: KnownStatement;
  columns: readonly Column[] | undefined;
  readonly rows: unknown[];
}

/**
 * Statements that travel together: one packet there and one back, however many they are. The first that fails ends the
 * batch, as the server skips those behind it.
 *
 * It is what `pg` calls a submittable: `client.query(batch)` sends it and tells it what comes back. Statements that are asked
 * again and again are prepared, and are neither parsed, planned nor described from then on.
 */
export class PostgresBatch {
  readonly answered: Promise<readonly StatementResult[]>;
  readonly #sent: readonly Sent[];
  readonly #types: Types;
  readonly #prepared: PreparedStatements;
  readonly #results: StatementResult[] = [];
  /** Why a row could not be read; the rest of what comes is let go by. */
  #unreadable: { readonly reason: unknown } | undefined;
  readonly #settle: { resolve(results: readonly StatementResult[]): void; reject(reason: unknown): void };

  constructor(statements: readonly Statement[], options: { readonly types: Types; prepared: PreparedStatements }) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly StatementResult[]>();
    this.answered = promise;
    this.#settle = { resolve, reject };
    this.#types = options.types;
    this.#prepared = options.prepared;
    this.#sent = statements.map((statement) => {
      const known = this.#prepared.use(statement.text);
      return { ...statement, known, columns: known.columns, rows: [] };
    });
  }

  /** Called by the client when it is this batch's turn. */
  submit(connection: BatchConnection): void {
    connection.stream.cork();
    const parsed = new Set<string>();
    for (const { text, values, known } of this.#sent) {
      const { name, isPrepared } = known;
      if (!isPrepared && !parsed.has(name)) connection.parse({ name, text });
      if (name !== "") parsed.add(name);
      connection.bind({ statement: name, values });
      if (known.columns === undefined) connection.describe({ type: "P", name: "" });
      connection.execute({ portal: "" });
    }
    connection.sync();
    connection.stream.uncork();
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    const sent = this.#current();
    sent.columns = fields.map(({ name, dataTypeID, format }) => {
      return { name, parse: this.#types.getTypeParser(dataTypeID, format) };
    });
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const { columns = [], rows } = this.#current();
    try {
      rows.push(rowOf(columns, fields));
    } catch (reason) {
      this.#unreadable ??= { reason }; // thrown from here, it would end the process
    }
  }

  /** `text` is "INSERT 0 2", "UPDATE 1", "COMMIT". */
  handleCommandComplete({ text }: { readonly text: string }): void {
    const { columns = [], rows, known } = this.#current();
    const [command = null, ...counts] = text.split(" ");
    const rowCount = counts.length === 0 ? null : Number(counts.at(-1));
    known.answered(columns);
    this.#results.push({ command, rowCount, rows });
  }

  handleEmptyQuery(): void {
    this.#results.push({ command: null, rowCount: null, rows: [] });
  }

  /** The server refuses a statement, or the connection is gone. */
  handleError(reason: unknown): void {
    this.#prepared.failed(reason);
    this.#settle.reject(reason);
  }

  handleReadyForQuery(): void {
    if (this.#unreadable === undefined) this.#settle.resolve(this.#results);
    else this.#settle.reject(this.#unreadable.reason);
  }

  /** Answers come in the order of the statements. */
  #current(): Sent {
    const sent = this.#sent[this.#results.length];
    if (sent === undefined) throw new Error("PostgreSQL answers more than it was asked");
    return sent;
  }
}

function rowOf(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  columns.forEach(({ name, parse }, i) => {
    const text = fields[i];
    row[name] = text === null || text === undefined ? null : parse(text);
  });
  return row;
}

/** A parameter as it is sent. */
export function asValue(parameter: unknown): Value {
  if (parameter === null || parameter === undefined || typeof parameter === "string") return parameter ?? null;
  if (parameter instanceof Date) return parameter.toISOString();
  if (parameter instanceof Uint8Array) return Buffer.from(parameter.buffer, parameter.byteOffset, parameter.byteLength);
  if (["number", "bigint", "boolean"].includes(typeof parameter)) return String(parameter);
  throw new TypeError(`a statement cannot be given ${typeof parameter}`);
}
