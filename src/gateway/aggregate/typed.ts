import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { messageOf } from "../../base/message-of.ts";
import { badField } from "../../rest/refusal.ts";
import { type Aggregate, CompositionError, defaultFanOut, type Given, type Part, partOf } from "./aggregate.ts";
import { complaintsAbout } from "./check.ts";
import { readableMethod, shownField } from "./method.ts";
import type { AggregateOptions, Asked, EachOptions, PartOptions } from "./part-options.ts";

/** A name that no part before has. */
type NewName<Name extends string, Answers> = Name extends keyof Answers ? never : Name;

/**
 * An aggregate in code: a path that is answered with what several calls bring.
 *
 *     aggregate("/v1/users/{id}/overview", { timeoutMs: 2_000 })
 *       .call("user", UserService.method.getUser, { required: true, request: ({ integer }) => ({ id: integer("id") }) })
 *       .call("orders", OrderService.method.listOrders, { request: ({ integer }) => ({ userId: integer("id") }) })
 *       .each("products", CatalogService.method.getProduct, {
 *         from: ["orders"],
 *         request: ({ orders }) => orders.orders.flatMap(({ items }) => items).map(({ sku }) => ({ sku })),
 *       });
 *
 * A part may name parts before it, and no others: so none can wait for itself, and the types of what it is given are
 * known. Parts that name no others start together.
 */
export function aggregate<const Path extends string, const Query extends string = never>(
  path: Path,
  options: AggregateOptions<Query> = {},
): TypedAggregate<Path, Query> {
  return new TypedAggregate(path, options, []);
}

/** An aggregate whose parts know each other's types. Each further part makes a new one. */
export class TypedAggregate<Path extends string, Query extends string, Answers extends object = object>
  implements Aggregate
{
  readonly path: Path;
  readonly description: string;
  readonly timeoutMs: number | undefined;
  readonly query: readonly Query[];
  readonly parts: readonly Part[];

  constructor(
    path: Path,
    { description = "", timeoutMs, query = [] }: AggregateOptions<Query>,
    parts: readonly Part[],
  ) {
    this.path = path;
    this.description = description;
    this.timeoutMs = timeoutMs;
    this.query = query;
    this.parts = parts;
    const complaints = parts.length === 0 ? [] : complaintsAbout(this);
    if (complaints.length > 0) throw new CompositionError(complaints);
  }

  /** The same with one call more, whose answer it shows under `name`. */
  call<
    const Name extends string,
    I extends DescMessage,
    O extends DescMessage,
    const From extends keyof Answers & string = never,
  >(
    name: NewName<Name, Answers>,
    method: DescMethodUnary<I, O>,
    options: PartOptions<Asked<Path, Query, Pick<Answers, From>>, From, MessageInitShape<I>>,
  ): TypedAggregate<Path, Query, Answers & { [N in Name]: MessageShape<O> }> {
    const { request, ...rest } = options;
    const requests = (given: Given) => [create(method.input, request(this.#asked(given, rest.from)))];
    return this.#with({ name, method, requests, many: undefined, ...rest });
  }

  /** The same with one call more for each request, and the answers that came as a list. Equal requests are one call. */
  each<
    const Name extends string,
    I extends DescMessage,
    O extends DescMessage,
    const From extends keyof Answers & string = never,
  >(
    name: NewName<Name, Answers>,
    method: DescMethodUnary<I, O>,
    options: EachOptions<Asked<Path, Query, Pick<Answers, From>>, From, MessageInitShape<I>>,
  ): TypedAggregate<Path, Query, Answers & { [N in Name]: readonly MessageShape<O>[] }> {
    const { request, maxCalls = defaultFanOut.maxCalls, maxAtOnce = defaultFanOut.maxAtOnce, ...rest } = options;
    const requests = (given: Given) => request(this.#asked(given, rest.from)).map((each) => create(method.input, each));
    return this.#with({ name, method, requests, many: { maxCalls, maxAtOnce }, ...rest });
  }

  #with<More extends object>({ name, from = [], required = false, method, show = "", ...rest }: NewPart) {
    const call = resolved(partOf(this.path, name), () => {
      const readable = readableMethod(method);
      return { method: readable, show: shownField(readable, show), requests: rest.requests };
    });
    const part: Part = { name, after: from, required, many: rest.many, resolve: () => call };
    const { description, timeoutMs, query } = this;
    const options = { description, query, ...(timeoutMs !== undefined && { timeoutMs }) };
    return new TypedAggregate<Path, Query, Answers & More>(this.path, options, [...this.parts, part]);
  }

  #asked<Given_>({ path, query, answers }: Given, from: readonly string[] = []): Given_ {
    const brought = from.map((name) => {
      const messages = answers.get(name)?.messages ?? [];
      return [name, this.parts.find((part) => part.name === name)?.many ? messages : messages[0]];
    });
    const integer = (variable: string) => integerIn(path, variable);
    return { path, query, integer, ...Object.fromEntries(brought) } as Given_;
  }
}

interface NewPart {
  readonly name: string;
  readonly method: DescMethodUnary;
  readonly from?: readonly string[];
  readonly required?: boolean;
  readonly show?: string;
  readonly many: Part["many"];
  readonly requests: (given: Given) => readonly Message[];
}

function resolved<T>(where: string, make: () => T): T {
  try {
    return make();
  } catch (reason) {
    throw new CompositionError([`${where}: ${messageOf(reason)}`]);
  }
}

/** The types see to it that there is such a variable. */
function integerIn(path: Readonly<Record<string, string>>, variable: string): bigint {
  const text = path[variable] ?? "";
  if (!/^-?[0-9]{1,19}$/.test(text) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) {
    throw badField(variable, "has to be a whole number of 64 bits");
  }
  return BigInt(text);
}
