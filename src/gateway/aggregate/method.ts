import { type DescField, type DescMethod, type DescMethodUnary, getOption } from "@bufbuild/protobuf";
import { http } from "../../../gen/google/api/annotations_pb.ts";
import { methodName, withoutSideEffects } from "../../call/method.ts";

/** The method, if a GET may call it. Throws an Error that says why not: whoever asks for a page changes nothing by it. */
export function readableMethod(method: DescMethod): DescMethodUnary {
  if (method.methodKind !== "unary") throw new Error(`${methodName(method)} is a stream; a part is one answer`);
  if (!withoutSideEffects(method)) {
    throw new Error(
      `${methodName(method)} may have side effects: its contract has no idempotency_level NO_SIDE_EFFECTS`,
    );
  }
  return method as DescMethodUnary;
}

/**
 * The field of a method's answer that is shown alone: the one named; unnamed, the one that REST shows by its
 * `response_body`. "*" is the whole answer. Throws an Error when there is no such field.
 */
export function shownField(method: DescMethodUnary, name: string): DescField | undefined {
  const wanted = name === "" ? getOption(method, http).responseBody : name;
  if (wanted === "" || wanted === "*") return undefined;
  const field = method.output.fields.find((each) => each.name === wanted);
  if (field === undefined) throw new Error(`show: ${method.output.typeName} has no field "${wanted}"`);
  return field;
}
