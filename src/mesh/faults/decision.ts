import type { DescMethod } from "@bufbuild/protobuf";
import type { Fault, FaultPlan, HeaderMatch } from "../../../gen/heddle/fault/v1/fault_pb.ts";
import type { Random } from "../../base/random.ts";
import type { Fields } from "../../call/fields.ts";
import type { Endpoint } from "../resolve/resolver.ts";

/** What is known of an attempt that is about to be sent. */
export interface AttemptAtHand {
  readonly endpoint: Pick<Endpoint, "id" | "address">;
  /** Header fields that it carries. */
  readonly fields: Fields;
}

/** The faults of a plan that may meet a method's attempts, in the plan's order. */
export function faultsOf(plan: FaultPlan, method: DescMethod): readonly Fault[] {
  return plan.faults.filter((fault) => meansService(fault, method) && (fault.method || method.name) === method.name);
}

/**
 * The fault that meets an attempt, or `undefined`. The dice are thrown for each fault that is meant for it until one
 * hits, so that of two faults of 50 % the second meets a quarter of all attempts.
 */
export function faultFor(faults: readonly Fault[], attempt: AttemptAtHand, random: Random): Fault | undefined {
  return faults.find((fault) => meansEndpoint(fault, attempt) && meansHeader(fault, attempt) && hits(fault, random));
}

/** Services that a mesh itself needs. */
const ofTheMesh = /^(grpc|heddle)\./;

function meansService({ service }: Fault, { parent: { typeName } }: DescMethod): boolean {
  return service === "" ? !ofTheMesh.test(typeName) : service === typeName;
}

function meansEndpoint({ endpoint: wanted }: Fault, { endpoint }: AttemptAtHand): boolean {
  return wanted === "" || wanted === endpoint.address || wanted === endpoint.id;
}

function meansHeader({ header }: Fault, { fields }: AttemptAtHand): boolean {
  return header === undefined || carries(fields, header);
}

function carries(fields: Fields, { name, value }: HeaderMatch): boolean {
  const wanted = name.toLowerCase();
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === wanted && (value === "" || fields[i + 1] === value)) return true;
  }
  return false;
}

/** Where the share is all or nothing no dice are thrown: a seed goes on to mean the same. */
function hits({ sharePercent = 100 }: Fault, random: Random): boolean {
  return sharePercent >= 100 || (sharePercent > 0 && random() * 100 < sharePercent);
}
