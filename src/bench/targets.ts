import type { Place, Results, Spread } from "./results.ts";
import type { Round } from "./rig.ts";
import type { ScenarioName } from "./scenarios.ts";

/** What is to be reached. */
export interface Target {
  readonly name: string;
  readonly must: number;
  readonly aim: number;
  /** Whether less is better. */
  readonly isLess: boolean;
  readonly unit: "×" | "µs";
  measured(results: Results): Spread | undefined;
  /** The same by CPU per call, where a rate is compared: it hears less of what else the machine does. */
  byCpu?(results: Results): Spread | undefined;
}

/** How a target was met. */
export type Verdict = "aim reached" | "met" | "MISSED";

/** By how much a value misses what must be, as a share of that. */
export function shortfall({ must, isLess }: Target, { median }: Spread): number {
  return (isLess ? median - must : must - median) / must;
}

const rate = (one: Round, other: Round) => one.perSecond / other.perSecond;

/** Heddle's rate by another's. */
function faster(name: string, than: string, scenario: ScenarioName, inFlight: number, [must, aim]: [number, number]) {
  const [own, other] = ["heddle", than].map((peer) => ({ scenario, inFlight, peer })) as [Place, Place];
  const measured = (results: Results) => results.compare(own, other, rate);
  const byCpu = (results: Results) => results.compare(own, other, (a, b) => b.cpuUs / a.cpuUs);
  return { name: `${name} ÷ ${than}`, must, aim, isLess: false, unit: "×", measured, byCpu } as const satisfies Target;
}

/** What each interceptor after the first costs: what ten of them cost. */
function interceptor(side: "server" | "client"): Target {
  const place = { scenario: `${side}-interceptors`, inFlight: 32 } as const;
  const measured = (results: Results) =>
    results.compare(
      { ...place, peer: "heddle + 11" },
      { ...place, peer: "heddle + 1" },
      (eleven, one) => (eleven.cpuUs - one.cpuUs) / 10,
    );
  return { name: `${side}, each further interceptor`, must: 0.5, aim: 0.2, isLess: true, unit: "µs", measured };
}

/** What deadline, pick, budget, breaker and story cost a call that succeeds, beyond what `under` costs it. */
function stack(peer: string, under: string): Target {
  const place = { scenario: "policy-stack", inFlight: 32 } as const;
  const measured = (results: Results) =>
    results.compare({ ...place, peer }, { ...place, peer: under }, (own, bare) => own.cpuUs - bare.cpuUs);
  return { name: `policy stack: ${peer} − ${under}`, must: 3, aim: 2, isLess: true, unit: "µs", measured };
}

const server = { scenario: "servers", inFlight: 32, peer: "heddle" } as const;

/** What issues 3 and 5 ask for, in their order. */
export const targets: readonly Target[] = [
  faster("server, 32 in flight", "grpc-js", "servers", 32, [3.5, 5]),
  faster("server, 128 in flight", "grpc-js", "servers", 128, [4, 6]),
  faster("server, 32 in flight", "connect-node", "servers", 32, [15, 20]),
  faster("server, 32 in flight", "node:http2", "servers", 32, [1.4, 2]),
  faster("client, 32 in flight", "grpc-js", "clients", 32, [4, 6]),
  faster("client, 32 in flight", "nice-grpc", "clients", 32, [6, 9]),
  faster("client, 32 in flight", "connect-node", "clients", 32, [12, 18]),
  faster("server streaming, messages/s", "grpc-js", "streams", 1, [3, 8]),
  faster("1 MiB unary echo, bytes/s", "grpc-js", "echoes", 4, [2.5, 3.5]),
  {
    ...{ name: "server p99 ÷ p50, 32 in flight", must: 10, aim: 5, isLess: true, unit: "×" },
    measured: (results) => results.figure(server, ({ p99Ms, p50Ms }) => p99Ms / p50Ms),
  },
  {
    ...{ name: "server memory ÷ grpc-js", must: 0.6, aim: 0.4, isLess: true, unit: "×" },
    measured: (results) => results.compare(server, { ...server, peer: "grpc-js" }, (a, b) => a.rssMb / b.rssMb),
  },
  interceptor("server"),
  interceptor("client"),
  stack("heddle", "wire"),
  stack("heddle", "wire + steps"),
  stack("heddle, all on", "wire"),
  faster("gateway, REST GET", "node:http", "gateways", 32, [0.36, 0.43]),
  faster("gateway, REST POST", "node:http", "gateways-post", 32, [0.25, 0.36]),
  faster("gateway, REST GET", "node:http + grpc-js", "gateways", 32, [4, 5]),
  faster("gateway, REST GET", "node:http + connect-node", "gateways", 32, [10, 12]),
  faster("gateway, gRPC", "heddle's server", "gateways-grpc", 32, [0.25, 0.4]),
  {
    ...{ name: "gateway, memory after its load ÷ before", must: 1.5, aim: 1.2, isLess: true, unit: "×" },
    measured: (results) => results.growth({ scenario: "gateways", inFlight: 32, peer: "heddle" }, ({ rssMb }) => rssMb),
  },
];

/** What a median says of a target. */
export function verdictOf({ must, aim, isLess }: Target, { median }: Spread): Verdict {
  const reaches = (wanted: number) => (isLess ? median <= wanted : median >= wanted);
  if (reaches(aim)) return "aim reached";
  return reaches(must) ? "met" : "MISSED";
}
