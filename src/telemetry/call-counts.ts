import type { DescMethod } from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import type { Counter } from "prom-client";
import { codeName } from "../call/outcome.ts";

/** A number that is told when it is asked for. */
interface Count {
  readonly labels: Record<string, string>;
  /** Since it was last told. */
  news: number;
}

type ByCode = Map<Code | undefined, Count>;

/**
 * Counts of calls by method and code, kept here and told to the registry's counter when that is read. To look a counter up
 * by its labels each time would make a text of them: 0.25 µs, three times a call.
 */
export class CallCounts {
  /** Descriptions of a method come anew with each contract that is read; the old ones are let go of. */
  readonly #byMethod = new WeakMap<DescMethod, Map<string, ByCode>>();
  readonly #counts = new Map<string, Count>();

  /** One more of the method with this code; of this endpoint, where the counter has those. */
  add(method: DescMethod, code: Code | undefined, endpoint = ""): void {
    const count = this.#byMethod.get(method)?.get(endpoint)?.get(code) ?? this.#found(method, code, endpoint);
    count.news++;
  }

  /** Tells the counter all that it does not know yet. */
  tell(counter: Pick<Counter, "inc">): void {
    for (const count of this.#counts.values()) told(count, counter);
  }

  /** Looked up by what its labels say, the first time that a method is met. */
  #found(method: DescMethod, code: Code | undefined, endpoint: string): Count {
    const { name, parent } = method;
    const labels = { service: parent.typeName, method: name, ...(endpoint && { endpoint }), code: codeName(code) };
    const key = Object.values(labels).join(" ");
    const count = this.#counts.get(key) ?? { labels, news: 0 };
    this.#counts.set(key, count);
    const byEndpoint = this.#byMethod.get(method) ?? new Map<string, ByCode>();
    const byCode = byEndpoint.get(endpoint) ?? new Map<Code | undefined, Count>();
    this.#byMethod.set(method, byEndpoint.set(endpoint, byCode.set(code, count)));
    return count;
  }
}

function told(count: Count, counter: Pick<Counter, "inc">): void {
  if (count.news > 0) counter.inc(count.labels, count.news);
  count.news = 0;
}
