import type { Message } from "@bufbuild/protobuf";
import { RawMessage } from "../../call/raw-message.ts";
import { assertValid } from "../../call/validate.ts";
import type { Step } from "./step.ts";

/** Refuses a unary request that breaks its contract before it costs anybody a call. Streams, and what nobody here reads, are the server's to check. */
export function validate(): Step {
  return (next) => (call) => {
    const { message, isStream } = call;
    if (!isStream && !(message instanceof RawMessage)) assertValid(call.method.input, message as Message);
    return next(call);
  };
}
