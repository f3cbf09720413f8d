import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { Clock } from "../base/clock.ts";
import { deadlineExceeded } from "../call/errors.ts";

type Body = UniversalServerRequest["body"];

/**
 * The same body, ended by an error when its call's deadline passes. Connect reads a unary request to its end before it
 * looks at the deadline: a sender that never ends it, or dribbles, would hold its stream for as long as it likes.
 */
export function timelyBody(body: Body, deadlineAt: number, clock: Clock): Body {
  if (!isStream(body)) return body;
  return {
    [Symbol.asyncIterator]() {
      const pieces = body[Symbol.asyncIterator]();
      return {
        next: () => inTime(pieces.next(), deadlineAt, clock),
        return: async (value?: unknown) => (await pieces.return?.(value)) ?? { done: true, value },
      };
    },
  };
}

function isStream(body: Body): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

function inTime<T>(piece: Promise<T>, deadlineAt: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(deadlineExceeded("the request had not arrived when its deadline passed"));
    const timer = clock.setTimer(deadlineAt - clock.now(), late);
    piece.then(resolve, reject).finally(() => timer.cancel());
  });
}
