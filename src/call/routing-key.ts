import { type DescField, type DescMethod, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { field as fieldOption } from "../../gen/heddle/policy/v1/policy_pb.ts";
import { type Fields, fieldOf } from "./fields.ts";
import { servicePolicy } from "./service-policy.ts";

const keyFields = new WeakMap<DescMethod, DescField | null>();

/**
 * What a unary request is routed by where its service balances by ring hash: the value of the request's field that the
 * contract marks as routing key, else of the header that it names; `undefined` where the request has neither.
 */
export function routingKey(method: DescMethod, message: unknown, fields: Fields): string | undefined {
  const field = keyFieldOf(method);
  if (field !== null && method.methodKind === "unary") {
    const value = textOf(reflect(method.input, message as Message), field);
    if (value !== "") return value;
  }
  const { routingHeader } = servicePolicy(method.parent);
  return routingHeader === undefined ? undefined : fieldOf(fields, routingHeader);
}

function keyFieldOf(method: DescMethod): DescField | null {
  const known = keyFields.get(method);
  if (known !== undefined) return known;
  const isKey = (field: DescField) => hasOption(field, fieldOption) && getOption(field, fieldOption).routingKey;
  const found = method.input.fields.find(isKey) ?? null;
  keyFields.set(method, found);
  return found;
}

function textOf(message: ReflectMessage, field: DescField): string {
  if (!message.isSet(field)) return "";
  const value: unknown = message.get(field);
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value);
}
