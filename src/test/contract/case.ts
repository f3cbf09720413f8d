import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { Code } from "@connectrpc/connect";
import { isClosed } from "../../security/access.ts";
import type { CallerName, ServerName, Shop } from "./shop.ts";

/** An error as every protocol has to tell it. */
export interface ExpectedFailure {
  readonly code: Code;
  /** What its ErrorInfo says. */
  readonly reason?: string;
  /** What its BadRequest names, in this order. */
  readonly fields?: readonly string[];
}

/** One row of the table: what is asked of a method, and what has to come of it, whatever the protocol. */
export interface Case {
  readonly method: DescMethod;
  readonly title: string;
  readonly at: ServerName;
  /** Who asks. */
  readonly as: CallerName;
  /** Prepares what the request needs, anew for each call. */
  readonly given: (shop: Shop) => Promise<readonly Message[]>;
  /** Answers after which the caller leaves; without it the stream has to end by itself. */
  readonly take: number | undefined;
  readonly expected:
    | { readonly kind: "answer"; check(answers: readonly Message[], requests: readonly Message[]): void }
    | { readonly kind: "failure"; readonly failure: ExpectedFailure };
}

type Method<I extends DescMessage, O extends DescMessage> =
  | DescMethodUnary<I, O>
  | DescMethodServerStreaming<I, O>
  | DescMethodBiDiStreaming<I, O>;
type Init<I extends DescMessage> = MessageInitShape<I> | readonly MessageInitShape<I>[];
type Some<T> = readonly [T, ...T[]];

interface Common<I extends DescMessage> {
  /** Where it is asked; by default at the service of its package. */
  readonly at?: ServerName;
  /** Who asks; by default nobody in particular where the method is open, and who may where it is not. */
  readonly as?: CallerName;
  readonly given: (shop: Shop) => Init<I> | Promise<Init<I>>;
}

/** A row that succeeds: `check` looks at the answers, of which there is at least one. */
export function answers<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  title: string,
  row: Common<I> & {
    readonly take?: number;
    check(answers: Some<MessageShape<O>>, requests: Some<MessageShape<I>>): void;
  },
): Case {
  const check = (told: readonly Message[], asked: readonly Message[]) =>
    row.check(told as never as Some<MessageShape<O>>, asked as never as Some<MessageShape<I>>);
  return { ...common(method, title, row), take: row.take, expected: { kind: "answer", check } };
}

/** A row that fails. */
export function fails<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  title: string,
  { code, reason, fields, ...row }: Common<I> & ExpectedFailure,
): Case {
  const failure = { code, ...(reason !== undefined && { reason }), ...(fields !== undefined && { fields }) };
  return { ...common(method, title, row), take: undefined, expected: { kind: "failure", failure } };
}

function common<I extends DescMessage, O extends DescMessage>(
  method: Method<I, O>,
  title: string,
  { at = homeOf(method), as = isClosed(method) ? "clerk" : "nobody", given }: Common<I>,
) {
  const messages = async (shop: Shop) => {
    const wanted = await given(shop);
    const list = (Array.isArray(wanted) ? wanted : [wanted]) as readonly MessageInitShape<I>[];
    return list.map((init) => create(method.input, init));
  };
  return { method, title, at, as, given: messages };
}

const homes: readonly ServerName[] = ["catalog", "order", "discovery"];

/** The service that serves the method; what every server serves is asked of the users'. */
function homeOf(method: DescMethod): ServerName {
  const { typeName } = method.parent;
  if (typeName.includes(".saga.")) return "order";
  return homes.find((name) => typeName.includes(`.${name}.`)) ?? "user";
}
