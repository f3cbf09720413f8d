import type { DescService } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type Client,
  type ContextValues,
  createClient,
  createContextKey,
  type Transport,
} from "@connectrpc/connect";
import type { Clock } from "../base/clock.ts";
import { ownValues } from "../call/context.ts";
import { Explanation } from "./explanation.ts";
import type { Story } from "./story.ts";

/** A call that can be asked what happened to it, while it is under way and after. */
export interface Explained {
  /**
   * What happened so far: `String(call.explain())` for people, `JSON.stringify` for programs. `undefined` where an
   * interceptor answered, or the call was refused before it was anybody's, as an invalid one is.
   */
  explain(): Explanation | undefined;
}

/** A Connect client whose calls can explain themselves. */
export type MeshClient<S extends DescService> = {
  [P in keyof Client<S>]: Client<S>[P] extends (...args: infer A) => infer R ? (...args: A) => R & Explained : never;
} & Client<S>; // the same functions once more: so that one is taken for the other where the service is not known

type AnyMethod = (request: unknown, options?: CallOptions) => object;

/** A client over the mesh's transport. Nothing is put into words before somebody asks. */
export function meshClient<S extends DescService>(service: S, transport: Transport, clock: Clock): MeshClient<S> {
  const client = createClient(service, transport) as Readonly<Record<string, AnyMethod>>;
  const methods = Object.entries(client).map(([name, method]) => {
    const explained: AnyMethod = (request, options) => {
      const told = new Told(clock, options?.contextValues);
      const answer = method(
        request,
        options === undefined ? { contextValues: told } : { ...options, contextValues: told },
      );
      return explaining(answer, told);
    };
    return [name, explained] as const;
  });
  return Object.fromEntries(methods) as MeshClient<S>;
}

/** Who wants to be told the story of a call. */
export const toldKey = createContextKey<Told | undefined>(undefined, { description: "told" });

/** A call's context values, on top of those its caller gave, and the story that they were told. */
export class Told implements ContextValues {
  readonly #clock: Clock;
  readonly #given: ContextValues | undefined;
  #own: ContextValues | undefined;
  story: Story | undefined;

  constructor(clock: Clock, given: ContextValues | undefined) {
    this.#clock = clock;
    this.#given = given;
  }

  get<T>(key: { id: symbol; defaultValue: T }): T {
    if (key.id === toldKey.id) return this as unknown as T;
    return (this.#own ?? this.#given)?.get(key) ?? key.defaultValue;
  }

  set<T>(key: { id: symbol; defaultValue: T }, value: T): this {
    this.#own ??= ownValues(this.#given);
    this.#own.set(key, value);
    return this;
  }

  delete(key: { id: symbol; defaultValue: unknown }): this {
    this.#own ??= ownValues(this.#given);
    this.#own.delete(key);
    return this;
  }

  /** The story in words. */
  get explanation(): Explanation | undefined {
    return this.story && new Explanation(this.story, this.#clock);
  }
}

/** Two fields on what Connect's client has made: nothing more is made for those who never ask. */
function explaining(answer: Partial<Asked>, told: Told): object {
  answer.told = told;
  answer.explain = explain;
  return answer;
}

interface Asked extends Explained {
  told: Told;
}

function explain(this: { readonly told: Told }): Explanation | undefined {
  return this.told.explanation;
}
