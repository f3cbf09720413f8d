import type { Message } from "@bufbuild/protobuf";
import { createContextKey, type Transport } from "@connectrpc/connect";
import { requestIdField, withRequestId } from "../../call/request-id.ts";

/** What stands for a request that may come again, beyond the life of this gateway; `undefined` for one that may not. */
export const requestIdKey = createContextKey<string | undefined>(undefined, { description: "request id" });

/**
 * The same way upstream, on which a request that came with `Idempotency-Key` brings the id that stands for it
 * (https://google.aip.dev/155), where its contract marks a field as `request_id` and its caller has left that empty. What
 * two gateways ask for, because the first has died in the middle or nobody knows what became of it, is one request to the
 * service then. The mesh would name it anew in each gateway.
 */
export function withRequestIds(upstream: Transport): Transport {
  return {
    unary(method, signal, timeoutMs, header, input, values) {
      const id = values?.get(requestIdKey);
      const field = id === undefined ? undefined : requestIdField(method);
      const sent = field === undefined ? input : withRequestId(input as Message, field, () => id as string);
      return upstream.unary(method, signal, timeoutMs, header, sent as typeof input, values);
    },
    stream: (method, signal, timeoutMs, header, input, values) =>
      upstream.stream(method, signal, timeoutMs, header, input, values),
  };
}
