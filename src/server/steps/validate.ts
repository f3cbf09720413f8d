import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { assertValid } from "../../call/validate.ts";

/** Refuses messages that break the rules of their contract. Innermost: the handler may rely on it. */
export function validate(): Interceptor {
  return (next) => async (req) => {
    if (req.stream) return next({ ...req, message: validated(req.method.input, req.message) });
    assertValid(req.method.input, req.message);
    return next(req);
  };
}

async function* validated<T extends Message>(schema: DescMessage, messages: AsyncIterable<T>): AsyncIterable<T> {
  for await (const message of messages) {
    assertValid(schema, message);
    yield message;
  }
}
