import { type DescField, type DescMethod, ScalarType } from "@bufbuild/protobuf";
import { createContextKey, type Transport } from "@connectrpc/connect";
import { withoutSideEffects } from "../../call/method.ts";

/** What stands for a request that may come again, beyond the life of this gateway; `undefined` for one that may not. */
export const requestIdKey = createContextKey<string | undefined>(undefined, { description: "request id" });

/**
 * The same way upstream, on which a request that came with `Idempotency-Key` brings the `request_id` that stands for it
 * (https://google.aip.dev/155), where its contract has that field and its caller has left it empty. What two gateways ask
 * for, because the first has died in the middle or nobody knows what became of it, is one request to the service then.
 */
export function withRequestIds(upstream: Transport): Transport {
  return {
    unary(method, signal, timeoutMs, header, input, values) {
      const id = values?.get(requestIdKey);
      if (id !== undefined) fill(method, input as Record<string, unknown>, id);
      return upstream.unary(method, signal, timeoutMs, header, input, values);
    },
    stream: (method, signal, timeoutMs, header, input, values) =>
      upstream.stream(method, signal, timeoutMs, header, input, values),
  };
}

function fill(method: DescMethod, message: Record<string, unknown>, id: string): void {
  const field = method.input.fields.find(isRequestId);
  if (field === undefined || withoutSideEffects(method)) return;
  message[field.localName] ||= id;
}

function isRequestId(field: DescField): boolean {
  return field.name === "request_id" && field.fieldKind === "scalar" && field.scalar === ScalarType.STRING;
}
