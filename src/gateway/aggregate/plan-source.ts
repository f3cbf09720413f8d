import { fromJson, isMessage, type JsonValue } from "@bufbuild/protobuf";
import {
  type AggregatePlan,
  AggregatePlanSchema,
  AggregateSchema,
} from "../../../gen/heddle/gateway/v1/aggregate_pb.ts";
import { jsonSource } from "../../base/json-source.ts";
import { messageOf } from "../../base/message-of.ts";
import { isTree } from "../../rest/fields.ts";
import { type Aggregate, CompositionError } from "./aggregate.ts";
import { assertAggregates } from "./check.ts";
import { configuredAggregate } from "./configured.ts";

/**
 * Aggregates as a program or a setting gives them: made in code, or a `heddle.gateway.v1.AggregatePlan` as a message, as
 * protojson, as the text of that, or as "@path" of a file that holds the text. An empty text is none.
 */
export type AggregateSource = readonly Aggregate[] | AggregatePlan | string | { readonly [name: string]: JsonValue };

/** Reads aggregates. Throws CompositionError with all that is wrong: an aggregate misspelled is not one that is missing. */
export function aggregatesOf(source: AggregateSource): readonly Aggregate[] {
  const aggregates = isList(source)
    ? source
    : configured(isMessage(source, AggregatePlanSchema) ? source : planOf(jsonOf(source)));
  assertAggregates(aggregates);
  return aggregates;
}

const isList = (source: AggregateSource): source is readonly Aggregate[] => Array.isArray(source);

function configured(plan: AggregatePlan): readonly Aggregate[] {
  const complaints: string[] = [];
  const aggregates = plan.aggregates.flatMap((message) => {
    try {
      return [configuredAggregate(message)];
    } catch (reason) {
      if (!(reason instanceof CompositionError)) throw reason;
      complaints.push(...reason.complaints);
      return [];
    }
  });
  if (complaints.length > 0) throw new CompositionError(complaints);
  return aggregates;
}

function jsonOf(source: string | object): JsonValue {
  if (typeof source !== "string") return source as JsonValue;
  try {
    return jsonSource(source) as JsonValue;
  } catch (reason) {
    throw new CompositionError([messageOf(reason)]);
  }
}

/** Aggregate by aggregate first: protojson says what is wrong, but not in which. */
function planOf(json: JsonValue): AggregatePlan {
  const aggregates = isTree(json) && Array.isArray(json.aggregates) ? json.aggregates : [];
  const complaints = aggregates.flatMap((aggregate, index) => unreadable(aggregate, `aggregates[${index}]`));
  if (complaints.length > 0) throw new CompositionError(complaints);
  try {
    return fromJson(AggregatePlanSchema, json);
  } catch (reason) {
    throw new CompositionError([messageOf(reason)]);
  }
}

function unreadable(aggregate: JsonValue, where: string): string[] {
  try {
    fromJson(AggregateSchema, aggregate);
    return [];
  } catch (reason) {
    return [`${where}: ${messageOf(reason)}`];
  }
}
