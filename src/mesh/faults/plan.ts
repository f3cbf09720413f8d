import { fromJson, isMessage, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { type FaultPlan, FaultPlanSchema, FaultSchema } from "../../../gen/heddle/fault/v1/fault_pb.ts";
import { jsonSource } from "../../base/json-source.ts";
import { messageOf } from "../../base/message-of.ts";
import { faultComplaints } from "./plan-check.ts";

/**
 * What is to go wrong: a `heddle.fault.v1.FaultPlan` as a message, as protojson, as the text of that, or as "@path" of a
 * file that holds the text. An empty text is a plan in which nothing goes wrong.
 */
export type FaultSource = FaultPlan | JsonValue;

/** A plan that cannot be followed; the message says all that is wrong with it, each with its field. */
export class FaultPlanError extends Error {
  override readonly name = "FaultPlanError";
  /** Each with its field: "faults[0].share_percent is 300; it has to be from 0 to 100". */
  readonly complaints: readonly string[];

  constructor(complaints: readonly string[]) {
    super(`the plan of faults says what cannot be: ${complaints.join("; ")}`);
    this.complaints = complaints;
  }
}

/** Reads a plan. Throws FaultPlanError if it says what cannot be, so that a fault misspelled is not a test that passes. */
export function faultPlanOf(source: FaultSource): FaultPlan {
  const plan = isMessage(source, FaultPlanSchema) ? source : planOf(jsonOf(source));
  const complaints = plan.faults.flatMap((fault, index) => faultComplaints(fault, `faults[${index}]`));
  if (complaints.length > 0) throw new FaultPlanError(complaints);
  return plan;
}

function jsonOf(source: JsonValue): JsonValue {
  if (typeof source !== "string") return source;
  try {
    return jsonSource(source) as JsonValue;
  } catch (reason) {
    throw new FaultPlanError([messageOf(reason)]);
  }
}

function planOf(json: JsonValue): FaultPlan {
  const faults = isObject(json) && Array.isArray(json.faults) ? json.faults : [];
  const complaints = faults.flatMap((fault, index) => unreadable(fault, `faults[${index}]`));
  if (complaints.length > 0) throw new FaultPlanError(complaints);
  try {
    return fromJson(FaultPlanSchema, json);
  } catch (reason) {
    throw new FaultPlanError([messageOf(reason)]);
  }
}

/** What protojson says against a fault; field by field first, for it says what is wrong, but not always where. */
function unreadable(fault: JsonValue, path: string): string[] {
  const fields = isObject(fault) ? Object.entries(fault) : [];
  const complaints = fields.flatMap(([name, value]) => complaintOf({ [name]: value }, `${path}.${name}`));
  return complaints.length > 0 ? complaints : complaintOf(fault, path);
}

function complaintOf(fault: JsonValue, path: string): string[] {
  try {
    fromJson(FaultSchema, fault);
    return [];
  } catch (reason) {
    return [`${path}: ${messageOf(reason)}`];
  }
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
