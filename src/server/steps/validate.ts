import type { DescMessage, Message } from "@bufbuild/protobuf";
import { isStream } from "../../call/stream.ts";
import { assertValid } from "../../call/validate.ts";
import type { Step } from "./step.ts";

/** Refuses messages that break the rules of their contract. Last: the handler may rely on it. */
export function validate(): Step {
  return (call) => {
    const { input } = call.method;
    if (isStream(call.message)) call.message = validated(input, call.message as AsyncIterable<Message>);
    else assertValid(input, call.message as Message);
  };
}

async function* validated<T extends Message>(schema: DescMessage, messages: AsyncIterable<T>): AsyncIterable<T> {
  for await (const message of messages) {
    assertValid(schema, message);
    yield message;
  }
}
