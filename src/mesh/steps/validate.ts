import type { Interceptor } from "@connectrpc/connect";
import { assertValid } from "../../call/validate.ts";

/** Refuses a unary request that breaks its contract before it costs anybody a call. Streams are the server's to check. */
export function validate(): Interceptor {
  return (next) => async (req) => {
    if (!req.stream) assertValid(req.method.input, req.message);
    return next(req);
  };
}
