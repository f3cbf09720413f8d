import { type DescMethodUnary, type JsonValue, type Message, type Registry, toJson } from "@bufbuild/protobuf";
import { isTree } from "../../rest/fields.ts";
import type { Arrived, ResolvedPart } from "./aggregate.ts";

/** What came of a part's calls. It is put into JSON when another part reads it so, and once. */
export class ArrivedMessages implements Arrived {
  readonly messages: readonly Message[];
  readonly #method: DescMethodUnary;
  readonly #registry: Registry;
  #whole: readonly JsonValue[] | undefined;

  constructor(method: DescMethodUnary, messages: readonly Message[], registry: Registry) {
    this.messages = messages;
    this.#method = method;
    this.#registry = registry;
  }

  get whole(): readonly JsonValue[] {
    const options = { alwaysEmitImplicit: true, registry: this.#registry };
    this.#whole ??= this.messages.map((message) => toJson(this.#method.output, message, options));
    return this.#whole;
  }
}

/** What other parts see of a part: one value of protojson, or a list where it fans out. */
export function shownOf({ part, call: { show } }: ResolvedPart, { whole }: Arrived): JsonValue {
  const shown = show === undefined ? whole : whole.map((json) => (isTree(json) ? (json[show.jsonName] ?? null) : json));
  return part.many ? [...shown] : (shown[0] ?? null);
}
