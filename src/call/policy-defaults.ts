import type { DescMethod } from "@bufbuild/protobuf";

/** The call's deadline where neither contract nor caller sets one. */
export const defaultTimeoutMs = 5_000;

/** No service lets a unary call run longer, whatever its caller asks for. */
export const maxTimeoutMs = 60_000;

/** Ceilings of the waits between attempts where the contract sets none (Envoy's). */
export const defaultBackoff = { initialMs: 25, maxMs: 250 } as const;

/** The deadline of a method that states none: a stream has none. */
export function defaultTimeoutOf(method: DescMethod): number | undefined {
  return method.methodKind === "unary" ? defaultTimeoutMs : undefined;
}
