import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { type ConnectError, type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";

/** Makes the answer to a unary call when nobody could be asked; the error says why. */
export type Fallback<O extends DescMessage = DescMessage> = (error: ConnectError) => MessageInitShape<O> | undefined;

/** The caller's own fallback. */
export const fallbackKey = createContextKey<Fallback | undefined>(undefined, { description: "fallback" });

/**
 * Context values for a unary call that is answered by `fallback` where nobody can be asked: every circuit is open, no
 * endpoint is registered or reached, or there is no place for the call. It comes before the contract's; with
 * `undefined` the call fails after all. The answer's header `heddle-fallback` tells why.
 *
 *     await products.listProducts({}, { contextValues: withFallback<typeof ListProductsResponseSchema>(() => ({ products: [] })) });
 */
export function withFallback<O extends DescMessage>(
  fallback: Fallback<O>,
  values: ContextValues = createContextValues(),
): ContextValues {
  return values.set(fallbackKey, fallback as Fallback);
}
