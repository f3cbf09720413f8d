import type { Code } from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import type { LoopLoad } from "../base/loop-load.ts";
import type { Fields } from "../call/fields.ts";
import { type LoadReport, loadReportFields } from "../call/load-report.ts";
import { verdictOf } from "../call/outcome.ts";

/** What a server's load is told by. */
export interface ServerLoadOptions {
  readonly loop: LoopLoad;
  readonly clock: Clock;
}

/** How long a report is repeated: its numbers are means, and one call more or less does not change them. */
const repeatedMs = 1_000;

/** How busy a server is, for its callers to weigh it by. Reports are made when somebody asks, once a second at most. */
export class ServerLoad {
  readonly #options: ServerLoadOptions;
  #calls = 0;
  #errors = 0;
  /** When counting began. */
  #since: number;
  #report: LoadReport | undefined;
  #fields: Fields | undefined;

  constructor(options: ServerLoadOptions) {
    this.#options = options;
    this.#since = options.clock.now();
  }

  /** A call has ended with this code. */
  ended(code: Code | undefined): void {
    this.#calls++;
    if (verdictOf(code) === "failure") this.#errors++;
  }

  /** The load since the report before. */
  report(): LoadReport {
    const now = this.#options.clock.now();
    const elapsedMs = now - this.#since;
    if (this.#report !== undefined && elapsedMs >= 0 && elapsedMs < repeatedMs) return this.#report;
    const { utilization, delayMs } = this.#options.loop.read();
    const perSecond = 1_000 / Math.max(1, elapsedMs);
    this.#report = { utilization, qps: this.#calls * perSecond, eps: this.#errors * perSecond, delayMs };
    this.#fields = undefined;
    this.#since = now;
    this.#calls = this.#errors = 0;
    return this.#report;
  }

  /** The same, as the fields of a trailer. */
  fields(): Fields {
    const report = this.report();
    this.#fields ??= loadReportFields(report);
    return this.#fields;
  }
}
