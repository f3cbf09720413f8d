/** A sample in Prometheus' text format: name, labels, value. */
const sample = /^heddle_server_calls_total\{(?<labels>.*)\} (?<value>\S+)/;

/** Health checks and reflection, which machines ask for all the time, are no calls that anybody counts. */
const byMachines = /(^|,)service="grpc\./;

/** How many calls an instance has answered, by its `/metrics` page. */
export function sumOfCalls(page: string): number {
  let sum = 0;
  for (const line of page.split("\n")) {
    const { labels, value } = sample.exec(line)?.groups ?? {};
    if (labels !== undefined && !byMachines.test(labels)) sum += Number(value);
  }
  return sum;
}
