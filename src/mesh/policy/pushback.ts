import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { headers } from "../../call/headers.ts";

/** When the server wants to be asked again: in so many milliseconds, never, or `undefined`, it did not say. */
export type Pushback = number | "never" | undefined;

/**
 * What the error says about asking again: by gRPC's trailer, by RetryInfo, or by HTTP's Retry-After, in this order.
 * A malformed trailer means never (gRFC A6); a malformed Retry-After, which proxies write, means nothing.
 */
export function pushbackOf(error: ConnectError, now: number): Pushback {
  const told = error.metadata.get(headers.retryPushback);
  if (told !== null) return /^\d{1,9}$/.test(told) ? Number(told) : "never";
  const [info] = error.findDetails(RetryInfoSchema);
  if (info?.retryDelay !== undefined) return Math.max(0, durationMs(info.retryDelay));
  return retryAfterMs(error.metadata.get(headers.retryAfter), now);
}

/** Seconds, or a date: https://www.rfc-editor.org/rfc/rfc9110.html#section-10.2.3 */
function retryAfterMs(told: string | null, now: number): number | undefined {
  if (told === null) return undefined;
  if (/^\d{1,9}$/.test(told)) return Number(told) * 1_000;
  const at = Date.parse(told);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
