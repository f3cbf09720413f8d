import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import { RawMessage, rawMessage } from "../../call/raw-message.ts";
import { isStream } from "../../call/stream.ts";
import { decode } from "./messages.ts";
import type { Attempt, Send } from "./rpc.ts";

/** Sends raw attempts over what knows messages only: they are decoded for it, and encoded again behind it. */
export function rawOver(send: Send): Send {
  return (attempt) => (attempt.isRaw === true ? sendDecoded(send, attempt) : send(attempt));
}

async function sendDecoded(send: Send, attempt: Attempt): ReturnType<Send> {
  const { input, output } = attempt.method;
  const read = (given: unknown) => (given instanceof RawMessage ? decode(input, given.bytes) : (given as Message));
  const { message: given } = attempt;
  const message = isStream(given) ? eachOf(given, read) : read(given);
  return rawAnswer(await send({ ...attempt, isRaw: false, message }), output);
}

function rawAnswer(res: UnaryResponse | StreamResponse, output: DescMessage): UnaryResponse | StreamResponse {
  const write = (message: Message) => rawMessage(toBinary(output, message));
  const { service, method, header, trailer } = res;
  if (!res.stream) return { stream: false, service, method, header, trailer, message: write(res.message) } as never;
  return { ...res, message: eachOf(res.message, write) };
}

/** Each item as something else; whoever leaves, leaves the source. */
function eachOf<A, B>(source: AsyncIterable<A>, change: (item: A) => B): AsyncIterable<B> {
  return {
    [Symbol.asyncIterator]() {
      const items = source[Symbol.asyncIterator]();
      return {
        async next() {
          const next = await items.next();
          return next.done === true ? { done: true, value: undefined } : { done: false, value: change(next.value) };
        },
        async return() {
          await items.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
