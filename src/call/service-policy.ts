import { type DescService, getOption } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Balance, service as serviceOption } from "../../gen/heddle/policy/v1/policy_pb.ts";

/** How a client may choose among endpoints, as options and people name it. */
export type BalancerName = "peak-ewma" | "least-request" | "round-robin" | "random" | "weighted" | "ring-hash";

/** What a contract says of a service as a whole, with the defaults of DESIGN §4 filled in. */
export interface ServicePolicy {
  readonly balance: BalancerName;
  /** The request header, in lower case, by whose value ring hash goes where no field says; `undefined`, none. */
  readonly routingHeader: string | undefined;
  /** Whether endpoints in the client's own zone come first. */
  readonly zoneFirst: boolean;
  /** How many endpoints each client uses; `undefined`, all of them. */
  readonly subsetSize: number | undefined;
  /** How long a new endpoint takes to its full share, in milliseconds. */
  readonly slowStartMs: number;
  /** Whether servers report their load with each answer, and clients go by it. */
  readonly loadReports: boolean;
  /** How often they report beside the answers, too, in milliseconds; `undefined`, never. */
  readonly loadReportIntervalMs: number | undefined;
}

const policies = new WeakMap<DescService, ServicePolicy>();

/** What the service's contract says of it. Read from the descriptor once. */
export function servicePolicy(service: DescService): ServicePolicy {
  const known = policies.get(service);
  if (known !== undefined) return known;
  const { balance, routingHeader, zoneFirst, subsetSize, slowStart, loadReports, ...more } = getOption(
    service,
    serviceOption,
  );
  const policy = {
    balance: names[balance] ?? "peak-ewma",
    routingHeader: routingHeader === "" ? undefined : routingHeader.toLowerCase(),
    zoneFirst,
    subsetSize: subsetSize || undefined,
    slowStartMs: slowStart ? durationMs(slowStart) : 30_000,
    loadReports,
    loadReportIntervalMs: loadReports && more.loadReportInterval ? durationMs(more.loadReportInterval) : undefined,
  };
  policies.set(service, policy);
  return policy;
}

const names: Readonly<Record<number, BalancerName>> = {
  [Balance.UNSPECIFIED]: "peak-ewma",
  [Balance.ROUND_ROBIN]: "round-robin",
  [Balance.RANDOM]: "random",
  [Balance.LEAST_REQUEST]: "least-request",
  [Balance.PEAK_EWMA]: "peak-ewma",
  [Balance.WEIGHTED]: "weighted",
  [Balance.RING_HASH]: "ring-hash",
};
