/** One line of what happened. */
export interface ChronicleLine {
  /** Milliseconds since the world began. */
  readonly at: number;
  /** Where: a process, or "world". */
  readonly who: string;
  readonly what: string;
}

/**
 * What happened in a world, in order, and a sum over all of it, bytes on the wire included: two runs that differ in
 * anything differ in their sums.
 */
export class Chronicle {
  readonly #now: () => number;
  readonly #lines: ChronicleLine[] = [];
  #sum = 0x811c9dc5;

  /** `now` says the milliseconds since the world began. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes a line. */
  tell(who: string, what: string): void {
    const at = this.#now();
    this.#lines.push({ at, who, what });
    this.mix(at * 1_000);
    for (let i = 0; i < what.length; i++) this.#sum = Math.imul(this.#sum ^ what.charCodeAt(i), 0x01000193);
  }

  /** Takes a number into the sum alone. */
  mix(number: number): void {
    this.#sum = Math.imul(this.#sum ^ (number | 0), 0x01000193);
  }

  /** Takes bytes into the sum alone, and when they came. */
  mixBytes(bytes: Uint8Array): void {
    let sum = Math.imul(this.#sum ^ ((this.#now() * 1_000) | 0), 0x01000193);
    for (let i = 0; i < bytes.length; i++) sum = Math.imul(sum ^ (bytes[i] as number), 0x01000193);
    this.#sum = sum;
  }

  get lines(): readonly ChronicleLine[] {
    return this.#lines;
  }

  /** The sum so far. */
  get sum(): string {
    return (this.#sum >>> 0).toString(16).padStart(8, "0");
  }

  /** The lines as text; `aroundMs` leaves only those within so many seconds of it, and those of the world itself. */
  text(aroundMs?: number): string {
    const isNear = ({ at, who }: ChronicleLine) =>
      aroundMs === undefined || who === "world" || Math.abs(at - aroundMs) <= nearMs;
    return this.#lines.filter(isNear).map(shown).join("\n");
  }
}

/** What is near enough to a failure to have to do with it. */
const nearMs = 2_000;

function shown({ at, who, what }: ChronicleLine): string {
  return `${(at / 1_000).toFixed(6).padStart(12)}  ${who.padEnd(14)} ${what}`;
}
