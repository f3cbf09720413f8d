/** What one session carries, and its end: it is over when it has retired and the last request has ended. */
export class Carried {
  readonly #close: () => void;
  readonly #over = Promise.withResolvers<void>();
  #count = 0;
  #isRetired = false;

  /** `close` closes what carried it, when it is over. */
  constructor(close: () => void) {
    this.#close = close;
  }

  /** A request begins; it is ended by one `ended`. */
  began(): void {
    this.#count++;
  }

  ended(): void {
    this.#count--;
    this.#endIfDone();
  }

  /** Nothing more begins. Resolves when what has begun has ended. */
  retire(): Promise<void> {
    this.#isRetired = true;
    this.#endIfDone();
    return this.#over.promise;
  }

  /** Ends it, whatever it carries. */
  end(): void {
    this.#close();
    this.#over.resolve();
  }

  #endIfDone(): void {
    if (this.#isRetired && this.#count <= 0) this.end();
  }
}
