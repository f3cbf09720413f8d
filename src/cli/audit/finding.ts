/** What one rule comes to. */
export interface Finding {
  /** The rule, in a word or two: "events order → user". */
  readonly rule: string;
  /** What it says, in a sentence. */
  readonly says: string;
  /** How many things were looked at. */
  readonly checked: number;
  /** How many of them break the rule. */
  readonly wrong: number;
  /** How many do not keep it yet, and will by themselves. */
  readonly underWay: number;
  /** The first of each, in words. */
  readonly examples: readonly string[];
}

const maxExamples = 10;

/** Counts what one rule comes to. */
export class Tally {
  readonly #rule: Pick<Finding, "rule" | "says">;
  readonly #examples = { wrong: [] as string[], underWay: [] as string[] };
  #checked = 0;
  #wrong = 0;
  #underWay = 0;

  constructor(rule: string, says: string) {
    this.#rule = { rule, says };
  }

  /** Something was looked at. */
  check(count = 1): void {
    this.#checked += count;
  }

  /** It breaks the rule. */
  wrong(example: string, count = 1): void {
    this.#wrong += count;
    if (this.#examples.wrong.length < maxExamples) this.#examples.wrong.push(example);
  }

  /** It does not keep the rule yet. */
  underWay(example: string, count = 1): void {
    this.#underWay += count;
    if (this.#examples.underWay.length < maxExamples) this.#examples.underWay.push(`under way: ${example}`);
  }

  /** What it came to. */
  get finding(): Finding {
    const { wrong, underWay } = this.#examples;
    const examples = [...wrong, ...underWay].slice(0, maxExamples);
    return { ...this.#rule, checked: this.#checked, wrong: this.#wrong, underWay: this.#underWay, examples };
  }
}
