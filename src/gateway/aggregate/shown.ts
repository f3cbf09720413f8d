import { type JsonValue, type Message, type Registry, toJson } from "@bufbuild/protobuf";
import { isTree, snakeName } from "../../rest/fields.ts";
import { type JsonStyle, plainStyle } from "../../rest/json-style.ts";
import type { Arrived, PartCall, ResolvedPart } from "./aggregate.ts";

/** What came, as it is shown later and as other parts see it; put into JSON once. */
export function arrivedOf({ method }: PartCall, messages: readonly Message[], registry: Registry): Arrived {
  const whole = messages.map((message) => toJson(method.output, message, { alwaysEmitImplicit: true, registry }));
  return { messages, whole };
}

/** What a part shows of what it brought: one value, or a list where it fans out. */
export function shownOf({ part, call }: ResolvedPart, { whole }: Arrived, style: JsonStyle): JsonValue {
  const shown = whole.map((json) => shownIn(call, json, style));
  return part.many ? shown : (shown[0] ?? null);
}

function shownIn({ method, show }: PartCall, json: JsonValue, style: JsonStyle): JsonValue {
  const styled = style === "plain" ? plainStyle(method.output)(json) : json;
  if (show === undefined) return styled;
  const key = style === "plain" ? snakeName(show) : show.jsonName;
  return isTree(styled) ? (styled[key] ?? null) : styled;
}
