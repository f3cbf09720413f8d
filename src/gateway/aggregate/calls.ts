import { type DescMethodUnary, type Message, toBinary } from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import type { ContextValues, Transport } from "@connectrpc/connect";
import type { Clock } from "../../base/clock.ts";
import { ownValues } from "../../call/context.ts";
import { methodName } from "../../call/method.ts";
import { orAborted } from "../../call/stream.ts";

/** What the calls of one request have in common. */
export interface CallsOptions {
  readonly transport: Transport;
  /** Who calls, as part of what. */
  readonly header: Headers;
  /** What is known of the request, as its caller's address; each call notes what it likes on top. */
  readonly values: ContextValues | undefined;
  /** Aborts when nobody wants the answers any more. */
  readonly signal: AbortSignal;
  readonly deadlineAt: number;
  readonly clock: Clock;
}

/** The calls of one request, under one deadline. Equal calls are one: its answer is everyone's. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #begun = new Map<string, Promise<Message>>();

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** The answer, or the signal's reason as soon as that aborts. */
  ask(method: DescMethodUnary, message: Message): Promise<Message> {
    const key = keyOf(method, message);
    const begun = this.#begun.get(key) ?? this.#begin(method, message);
    this.#begun.set(key, begun);
    return begun;
  }

  async #begin(method: DescMethodUnary, message: Message): Promise<Message> {
    const { transport, header, values, signal, deadlineAt, clock } = this.#options;
    signal.throwIfAborted();
    const ownHeader = new Headers(header); // each call may add to its own
    const answer = transport.unary(method, signal, deadlineAt - clock.now(), ownHeader, message, ownValues(values));
    return (await orAborted(answer, signal)).message;
  }
}

function keyOf(method: DescMethodUnary, message: Message): string {
  return `${methodName(method)} ${base64Encode(toBinary(method.input, message))}`;
}

/** The requests without those that say the same as one before. */
export function differentRequests(method: DescMethodUnary, requests: readonly Message[]): readonly Message[] {
  const byKey = new Map<string, Message>();
  for (const request of requests) {
    const key = keyOf(method, request);
    if (!byKey.has(key)) byKey.set(key, request);
  }
  return [...byKey.values()];
}

/** Does `work` for each item, for so many at a time, and answers in the order of the items. */
export async function eachAtMost<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const done: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) done[at] = await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return done;
}
