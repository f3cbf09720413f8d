/** Texts that a connection prepares at most: what a service asks all the time is a few dozen. */
const maxNames = 100;
/** Texts that are remembered until one of them comes a second time. */
const maxSeen = 500;

/** A column of an answer: its name, and how its text becomes a value. */
export interface Column {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

/** What a connection knows of a statement by its text. */
export interface KnownStatement {
  /** Empty where it is not to be prepared. */
  readonly name: string;
  /** Whether the server has it by its name already. */
  readonly isPrepared: boolean;
  /** What its rows are made of, if that is known: then nobody need ask. */
  readonly columns: readonly Column[] | undefined;
  /** Says that the server has answered it, by rows of these. */
  answered(columns: readonly Column[]): void;
}

/** Whether statements are prepared, and since when: what one connection of a process finds out is true of all. */
export class Preparing {
  /** Grows when what is prepared has become stale: a migration has changed a table under it. */
  generation = 0;
  /** Set where a pooler between us and the server gives each transaction another connection, which knows no names of ours. */
  isOff = false;
}

/** The statements that one connection to PostgreSQL has prepared: those whose text it has been asked more than once. */
export class PreparedStatements {
  readonly #preparing: Preparing;
  readonly #byText = new Map<string, Prepared>();
  readonly #seen = new Set<string>();
  #generation: number;
  #made = 0;

  constructor(preparing: Preparing) {
    this.#preparing = preparing;
    this.#generation = preparing.generation;
  }

  /** How a statement is to be sent now. */
  use(text: string): KnownStatement {
    if (this.#preparing.isOff) return unprepared;
    if (this.#generation !== this.#preparing.generation) this.#forget();
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#byText.size >= maxNames || !this.#isSeenAgain(text)) return unprepared;
    const prepared = new Prepared(`heddle_${++this.#made}`);
    this.#byText.set(text, prepared);
    return prepared;
  }

  /** Hears that a batch has failed: what was to be prepared by it may be or not, so its name is not used again. */
  failed(reason: unknown): void {
    for (const [text, { isPrepared }] of this.#byText) if (!isPrepared) this.#byText.delete(text);
    if (isStalePlan(reason)) this.#preparing.generation++;
    if (isNameLost(reason)) this.#preparing.isOff = true;
  }

  #isSeenAgain(text: string): boolean {
    if (this.#seen.has(text)) return true;
    if (this.#seen.size >= maxSeen) this.#seen.clear();
    this.#seen.add(text);
    return false;
  }

  #forget(): void {
    this.#byText.clear();
    this.#generation = this.#preparing.generation;
  }
}

class Prepared implements KnownStatement {
  readonly name: string;
  columns: readonly Column[] | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get isPrepared(): boolean {
    return this.columns !== undefined;
  }

  answered(columns: readonly Column[]): void {
    this.columns = columns;
  }
}

const unprepared: KnownStatement = { name: "", isPrepared: false, columns: undefined, answered() {} };

/** Whether a statement failed only for how it was prepared: asked again, it is prepared anew, or not at all. */
export function isPreparingsFault(reason: unknown): boolean {
  return isStalePlan(reason) || isNameLost(reason);
}

/** The code, feature_not_supported, says much else, too. */
function isStalePlan(reason: unknown): boolean {
  return codeOf(reason) === "0A000" && /cached plan must not change result type/.test((reason as Error).message);
}

/** invalid_sql_statement_name, duplicate_prepared_statement. */
function isNameLost(reason: unknown): boolean {
  return ["26000", "42P05"].includes(codeOf(reason));
}

function codeOf(reason: unknown): string {
  return reason instanceof Error && "code" in reason ? String(reason.code) : "";
}
