import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { OrcaLoadReport } from "../../gen/xds/data/orca/v3/orca_load_report_pb.ts";
import { OpenRcaService, OrcaLoadReportRequestSchema } from "../../gen/xds/service/orca/v3/orca_pb.ts";
import { fullJitter } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { Lifetime } from "../base/lifetime.ts";
import type { Random } from "../base/random.ts";
import { fromOrca, type LoadReport } from "../call/load-report.ts";
import type { Session } from "../wire/engine.ts";

/** What following an endpoint's load needs. */
export interface LoadWatchOptions {
  readonly session: Session;
  /** How often the endpoint is to report, in milliseconds. */
  readonly intervalMs: number;
  readonly take: (report: LoadReport) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Follows what an endpoint says of its load beside its answers (ORCA out of band, gRFC A51), again and again until it is
 * disposed of. One that does not speak of it is asked now and then: it may be replaced by one that does.
 */
export class LoadWatch implements Disposable {
  readonly #options: LoadWatchOptions;
  readonly #lifetime = new Lifetime();

  constructor(options: LoadWatchOptions) {
    this.#options = options;
    void this.#run();
  }

  [Symbol.dispose](): void {
    this.#lifetime.cancel(new Error("nobody wants to know its load any more"));
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const backoffMs = fullJitter({ initialMs: 1_000, maxMs: 60_000, random });
    for (let failures = 1; !this.#lifetime.aborted; failures++) {
      await this.#follow(() => {
        failures = 0;
      }).catch(() => {}); // whatever it was, it is asked again
      await clock.sleep(backoffMs(Math.max(1, failures)), this.#lifetime.signal).catch(() => {}); // disposed of: the loop ends
    }
  }

  async #follow(onReport: () => void): Promise<void> {
    const { session, intervalMs, take } = this.#options;
    const { streamCoreMetrics: method } = OpenRcaService.method;
    const message = create(OrcaLoadReportRequestSchema, { reportInterval: durationFromMs(intervalMs) });
    const answer = await session.send({ method, message, fields: [], timeoutMs: undefined, lifetime: this.#lifetime });
    for await (const report of answer.message as AsyncIterable<OrcaLoadReport>) {
      onReport();
      take(fromOrca(report));
    }
  }
}
